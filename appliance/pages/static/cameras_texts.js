/** Every sentence of the page that pairs cameras, in the four languages of the booth. */

/**
 * @typedef {object} CameraTexts
 * @property {string} lang
 * @property {string} heading
 * @property {string} back
 * @property {Readonly<Record<"connecting" | "up" | "stalled" | "waiting" | "refused" | "taken_over" | "stopped", string>>} link
 * @property {string} waiting
 * @property {string} nobody
 * @property {readonly string[]} steps
 * @property {string} pair
 * @property {string} code
 * @property {string} codeMore
 * @property {string} scan
 * @property {string} scanMore
 * @property {string} place
 * @property {string} placeMore
 * @property {string} name
 * @property {string} nameMore
 * @property {string} looks
 * @property {readonly string[]} directions nothing said, then clockwise from north
 * @property {string} replaces
 * @property {string} replacesNone
 * @property {string} replacesMore
 * @property {string} send
 * @property {string} sending
 * @property {string} next
 * @property {(camera: string) => string} paired
 * @property {(left: number) => string} wrong
 * @property {string} dead
 * @property {(number: string) => string} away
 * @property {string} hungUp
 * @property {string} impostor
 * @property {string} malformed
 * @property {(tablet: string) => string} forbidden
 * @property {string} unanswered
 * @property {string} signedOut
 * @property {string} setUp
 */

/** @type {CameraTexts} */
const ENGLISH = {
  lang: "en", setUp: "Aim, test or lock a camera", heading: "New camera", back: "‹ Alerts",
  link: {connecting: "Connecting…", up: "Connected", stalled: "Not connected", waiting: "Not connected", refused: "Not signed in", taken_over: "Open elsewhere", stopped: "Not signed in"},
  waiting: "Waiting now", nobody: "No camera waits yet.",
  steps: ["Connect the camera to the booth’s network.", "Switch it on and give it two minutes.", "Its number then appears here: the first four signs on its label."],
  pair: "Pair it",
  code: "Code on the label", codeMore: "Twelve signs in three groups, such as 7K3M-9PQX-2HTD.",
  scan: "Scan", scanMore: "Hold the label’s square code before this tablet’s camera. The picture stays on this tablet.",
  place: "Where it hangs", placeMore: "As the staff say it, such as: north corner.",
  name: "Name", nameMore: "Small letters, digits and dashes. It is never given again.",
  looks: "Which way it looks", directions: ["not said", "north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west"],
  replaces: "In place of", replacesNone: "no other camera", replacesMore: "The camera it replaces is put out for good.",
  send: "Pair", sending: "Pairing…", next: "Another camera",
  paired: (camera) => `${camera} is paired. It starts to watch within a minute.`,
  wrong: (left) => `That code is wrong. ${left} ${left === 1 ? "try is" : "tries are"} left.`,
  dead: "That code was wrong, and it was the last try. Somebody must make a new code at the camera: sudo leftfield pair renew.",
  away: (number) => `No camera ${number} waits. Is it switched on and on this network?`,
  hungUp: "The camera hung up. Wait until its number is back, then try again.",
  impostor: "What called with this number is not the camera with this code. Find out what else is on this network before you go on.",
  malformed: "That is no code: twelve letters and digits, as on the label.",
  forbidden: (tablet) => `${tablet} may not pair cameras. On the hub: sudo leftfield booth tablet ${tablet} --again --installer`,
  unanswered: "The hub did not answer. Try again.",
  signedOut: "This tablet is not signed in. Open the link that the lead has for it.",
};

/** @type {CameraTexts} */
const SPANISH = {
  lang: "es", setUp: "Orientar, probar o bloquear una cámara", heading: "Cámara nueva", back: "‹ Avisos",
  link: {connecting: "Conectando…", up: "Conectada", stalled: "Sin conexión", waiting: "Sin conexión", refused: "Sin sesión", taken_over: "Abierta en otra ventana", stopped: "Sin sesión"},
  waiting: "Esperan ahora", nobody: "Todavía no espera ninguna cámara.",
  steps: ["Conecte la cámara a la red del puesto.", "Enciéndala y espere dos minutos.", "Aquí aparecerá su número: los cuatro primeros signos de la etiqueta."],
  pair: "Vincularla",
  code: "Código de la etiqueta", codeMore: "Doce signos en tres grupos, como 7K3M-9PQX-2HTD.",
  scan: "Escanear", scanMore: "Ponga el código cuadrado de la etiqueta ante la cámara de esta tableta. La imagen no sale de la tableta.",
  place: "Dónde cuelga", placeMore: "Como lo dice el equipo, por ejemplo: esquina norte.",
  name: "Nombre", nameMore: "Letras minúsculas, cifras y guiones. No se vuelve a usar.",
  looks: "Hacia dónde mira", directions: ["sin indicar", "norte", "noreste", "este", "sureste", "sur", "suroeste", "oeste", "noroeste"],
  replaces: "En lugar de", replacesNone: "ninguna otra cámara", replacesMore: "La cámara sustituida queda fuera para siempre.",
  send: "Vincular", sending: "Vinculando…", next: "Otra cámara",
  paired: (camera) => `${camera} está vinculada. Empieza a mirar en un minuto.`,
  wrong: (left) => `El código no es correcto. ${left === 1 ? "Queda 1 intento" : `Quedan ${left} intentos`}.`,
  dead: "El código no era correcto y era el último intento. Hay que crear otro en la cámara: sudo leftfield pair renew.",
  away: (number) => `No espera ninguna cámara ${number}. ¿Está encendida y en esta red?`,
  hungUp: "La cámara colgó. Espere a que vuelva su número e inténtelo otra vez.",
  impostor: "Lo que llamó con este número no es la cámara de este código. Averigüe qué más hay en esta red antes de seguir.",
  malformed: "Eso no es un código: doce letras y cifras, como en la etiqueta.",
  forbidden: (tablet) => `${tablet} no puede vincular cámaras. En el hub: sudo leftfield booth tablet ${tablet} --again --installer`,
  unanswered: "El hub no respondió. Inténtelo otra vez.",
  signedOut: "Esta tableta no tiene sesión. Abra el enlace que tiene la persona responsable.",
};

/** @type {CameraTexts} */
const FRENCH = {
  lang: "fr", setUp: "Viser, essayer ou verrouiller une caméra", heading: "Nouvelle caméra", back: "‹ Alertes",
  link: {connecting: "Connexion…", up: "Connectée", stalled: "Hors connexion", waiting: "Hors connexion", refused: "Session absente", taken_over: "Ouverte ailleurs", stopped: "Session absente"},
  waiting: "En attente", nobody: "Aucune caméra n’attend pour l’instant.",
  steps: ["Branchez la caméra sur le réseau du stand.", "Allumez-la et attendez deux minutes.", "Son numéro apparaît ici : les quatre premiers signes de l’étiquette."],
  pair: "L’associer",
  code: "Code de l’étiquette", codeMore: "Douze signes en trois groupes, par exemple 7K3M-9PQX-2HTD.",
  scan: "Scanner", scanMore: "Présentez le code carré de l’étiquette à la caméra de cette tablette. L’image ne quitte pas la tablette.",
  place: "Où elle est fixée", placeMore: "Comme le dit l’équipe, par exemple : angle nord.",
  name: "Nom", nameMore: "Minuscules, chiffres et tirets. Il n’est jamais réutilisé.",
  looks: "Vers où elle regarde", directions: ["non précisé", "nord", "nord-est", "est", "sud-est", "sud", "sud-ouest", "ouest", "nord-ouest"],
  replaces: "À la place de", replacesNone: "aucune autre caméra", replacesMore: "La caméra remplacée est exclue pour toujours.",
  send: "Associer", sending: "Association…", next: "Une autre caméra",
  paired: (camera) => `${camera} est associée. Elle commence à regarder d’ici une minute.`,
  wrong: (left) => `Ce code est faux. Il reste ${left} ${left === 1 ? "essai" : "essais"}.`,
  dead: "Ce code était faux et c’était le dernier essai. Il faut en créer un autre sur la caméra : sudo leftfield pair renew.",
  away: (number) => `Aucune caméra ${number} n’attend. Est-elle allumée et sur ce réseau ?`,
  hungUp: "La caméra a raccroché. Attendez le retour de son numéro, puis réessayez.",
  impostor: "Ce qui a appelé avec ce numéro n’est pas la caméra de ce code. Cherchez ce qui se trouve d’autre sur ce réseau avant de continuer.",
  malformed: "Ce n’est pas un code : douze lettres et chiffres, comme sur l’étiquette.",
  forbidden: (tablet) => `${tablet} ne peut pas associer de caméras. Sur le hub : sudo leftfield booth tablet ${tablet} --again --installer`,
  unanswered: "Le hub n’a pas répondu. Réessayez.",
  signedOut: "Cette tablette n’a pas de session. Ouvrez le lien que détient la personne responsable.",
};

/** @type {CameraTexts} */
const CHINESE = {
  lang: "zh", setUp: "对准、测试或锁定摄像头", heading: "新摄像头", back: "‹ 提醒",
  link: {connecting: "正在连接…", up: "已连接", stalled: "未连接", waiting: "未连接", refused: "未登录", taken_over: "已在别处打开", stopped: "未登录"},
  waiting: "正在等待", nobody: "还没有摄像头在等待。",
  steps: ["把摄像头接入展位的网络。", "打开电源，等两分钟。", "它的编号会出现在这里：标签上的前四个字符。"],
  pair: "配对",
  code: "标签上的代码", codeMore: "十二个字符，分三组，例如 7K3M-9PQX-2HTD。",
  scan: "扫描", scanMore: "把标签上的方形码对准本平板的摄像头。画面不会离开本平板。",
  place: "安装位置", placeMore: "按工作人员的叫法，例如：北角。",
  name: "名称", nameMore: "小写字母、数字和连字符。名称不会再次使用。",
  looks: "朝向", directions: ["未说明", "北", "东北", "东", "东南", "南", "西南", "西", "西北"],
  replaces: "替换", replacesNone: "不替换其他摄像头", replacesMore: "被替换的摄像头将永久停用。",
  send: "配对", sending: "正在配对…", next: "再配一个",
  paired: (camera) => `${camera} 已配对，一分钟内开始工作。`,
  wrong: (left) => `代码不对，还可以试 ${left} 次。`,
  dead: "代码不对，而且这是最后一次机会。需要在摄像头上生成新代码：sudo leftfield pair renew。",
  away: (number) => `没有编号为 ${number} 的摄像头在等待。它通电了吗？在这个网络上吗？`,
  hungUp: "摄像头断开了。等它的编号重新出现后再试。",
  impostor: "用这个编号连接的设备并不是这个代码的摄像头。继续之前，请查清这个网络上还有什么设备。",
  malformed: "这不是代码：应为标签上的十二个字母和数字。",
  forbidden: (tablet) => `${tablet} 无权配对摄像头。请在主机上运行：sudo leftfield booth tablet ${tablet} --again --installer`,
  unanswered: "主机没有回应，请再试一次。",
  signedOut: "本平板尚未登录。请打开负责人提供的链接。",
};

/** @type {Readonly<Record<string, CameraTexts>>} */
export const CAMERA_TEXTS = Object.freeze({en: ENGLISH, es: SPANISH, fr: FRENCH, zh: CHINESE});

/** The sentences in the first language the reader prefers and we have. @param {readonly string[]} languages @returns {CameraTexts} */
export function cameraTexts(languages) {
  const known = languages.map((language) => language.toLowerCase().split("-")[0]).find((language) => Object.hasOwn(CAMERA_TEXTS, language));
  return CAMERA_TEXTS[known ?? "en"];
}

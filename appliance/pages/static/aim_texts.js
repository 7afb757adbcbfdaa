/** Every sentence of the page that sets a camera up, in the four languages of the booth. */

/**
 * @typedef {object} AimTexts
 * @property {string} lang
 * @property {string} heading
 * @property {string} back
 * @property {string} camera
 * @property {string} none
 * @property {(minutes: number) => string} start
 * @property {string} stop
 * @property {string} noPicture
 * @property {string} idle
 * @property {string} waiting
 * @property {string} nobody
 * @property {string} unclear
 * @property {Readonly<Record<string, string>>} advice
 * @property {Readonly<Record<string, string>>} number
 * @property {readonly string[]} light
 * @property {(metres: number) => string} metres
 * @property {string} north
 * @property {string} plan
 * @property {string} zones
 * @property {string} zonesMore
 * @property {string} draw
 * @property {string} close
 * @property {string} clear
 * @property {string} save
 * @property {string} zonesSaved
 * @property {string} walk
 * @property {string} walkMore
 * @property {string} notSaid
 * @property {string} begin
 * @property {string} pass
 * @property {string} passing
 * @property {string} end
 * @property {Readonly<Record<string, string>>} passEnd
 * @property {(right: number, said: number, low: number, high: number) => string} accuracy
 * @property {string} ready
 * @property {string} notReady
 * @property {readonly string[]} columns
 * @property {string} count
 * @property {string} countMore
 * @property {string} click
 * @property {(clicks: number, seen: number, low: number, high: number) => string} counted
 * @property {string} lock
 * @property {string} lockMore
 * @property {string} lockSure
 * @property {string} lockNow
 * @property {string} locked
 * @property {string} card
 * @property {string} noCard
 * @property {Readonly<Record<string, string>>} state
 * @property {Readonly<Record<string, string>>} why
 * @property {string} unanswered
 * @property {(tablet: string) => string} forbidden
 * @property {string} signedOut
 * @property {Readonly<Record<"connecting" | "up" | "stalled" | "waiting" | "refused" | "taken_over" | "stopped", string>>} link
 */

/** @param {number} share */
const percent = (share) => Math.round(100 * share);

/** @type {AimTexts} */
const ENGLISH = {
  lang: "en", heading: "Set up", back: "‹ Cameras", camera: "Camera", none: "No camera is paired yet.",
  start: (minutes) => `Aim for ${minutes} minutes`, stop: "Stop aiming",
  noPicture: "The camera sends no picture: only where people stand, as stick figures, twice a second. Meanwhile nobody is observed.",
  idle: "Not being aimed", waiting: "The camera changes over…", nobody: "Nobody in view", unclear: "People in view, no posture clear",
  advice: {
    nobody: "Nobody has walked past yet. Walk past yourself.", turn_left: "Turn left: people pass at the left edge.", turn_right: "Turn right: people pass at the right edge.",
    tilt_up: "Tilt up: heads are cut off.", tilt_down: "Tilt down: feet are cut off.", too_far: "Too far away: people are too small to be read.", too_near: "Too near: people do not fit into the picture.",
    too_steep: "Too steep: hang it lower or farther away.", against_light: "Against the sun: what is behind people is much lighter than they are.", too_dark: "Too dark.",
    too_brief: "People are in view too briefly: look along their way.", crowded: "Too crowded: people hide each other.", blurred: "Blurred: clean the glass or focus.",
    no_card: "The colour card has not been read yet.", good: "This is good.",
  },
  number: {pixels: "Height of a person", seconds: "Time in view", frames: "Frames of each", light: "Light", height: "Hangs at", tilt: "Tilted down", people: "In view", hidden: "Hidden", small: "Too small", passed: "Passed"},
  light: ["very dark", "dark", "dim", "fair", "good", "good", "bright", "glaring"], metres: (metres) => `about ${metres} m`, north: "N", plan: "Where it looks",
  zones: "Where nobody counts", zonesMore: "The pavement opposite, a mannequin. Tap corners on the picture, then close the zone. Whoever’s feet are inside is not there.",
  draw: "Draw a zone", close: "Close it", clear: "Remove all", save: "Save on the camera", zonesSaved: "Saved. The camera watches again.",
  walk: "Walk test", walkMore: "Say what you wear, begin, and walk past three times, alone. What is read of you is compared and dropped; only counts of right and wrong are kept.",
  notSaid: "not sure", begin: "Begin", pass: "I walk past now", passing: "Walk past…", end: "End",
  passEnd: {read: "Read.", nobody: "You were not seen. Once more.", crowd: "Somebody else was in view: that pass does not count."},
  accuracy: (right, said, low, high) => `${right} of ${said} words right, ${percent(low)} to ${percent(high)} % (95 % interval)`,
  ready: "Ready", notReady: "Not ready: it takes the colour card, three passes, and words that are right in more than 60 % with certainty.",
  columns: ["", "right", "wrong", "not said"],
  count: "Count by hand", countMore: "Tap for each passer-by for some minutes, and compare with the camera.", click: "One passer-by",
  counted: (clicks, seen, low, high) => `Tapped ${clicks}, seen ${seen}: ${percent(low)} to ${percent(high)} % (95 % interval)`,
  lock: "Lock for good", lockMore: "A locked camera is never aimed again and reads no colour card. Nothing undoes it but flashing its card anew.",
  lockSure: "Type the camera’s name to lock it.", lockNow: "Lock for good", locked: "locked", card: "colour card read", noCard: "no colour card",
  state: {watching: "watching", aiming: "being aimed", tested: "being tested", silent: "silent", blind: "blind", paused: "paused", frozen: "picture frozen", too_dark: "too dark", too_bright: "too bright", colourless: "no colour", blurred: "blurred", moved: "moved"},
  why: {locked: "This camera is locked: it takes no orders.", silent: "This camera says nothing. Look at its power and network.", other: "Another camera is being aimed. One at a time.", key: "The hub has no key to sign orders with.", test: "No test is under way."},
  unanswered: "The hub did not answer. Try again.", forbidden: (tablet) => `${tablet} may not set cameras up. On the hub: sudo leftfield booth tablet ${tablet} --installer`, signedOut: "This tablet is not signed in. Open the link of its enrolment.",
  link: {connecting: "Connecting…", up: "Connected", stalled: "Not connected", waiting: "Not connected", refused: "Not signed in", taken_over: "Open elsewhere", stopped: "Not signed in"},
};

/** @type {AimTexts} */
const SPANISH = {
  lang: "es", heading: "Ajustes", back: "‹ Cámaras", camera: "Cámara", none: "Aún no hay ninguna cámara emparejada.",
  start: (minutes) => `Orientar durante ${minutes} minutos`, stop: "Terminar",
  noPicture: "La cámara no envía ninguna imagen: solo dónde hay personas, como figuras de palo, dos veces por segundo. Entretanto no se observa a nadie.",
  idle: "No se está orientando", waiting: "La cámara cambia de modo…", nobody: "Nadie a la vista", unclear: "Hay gente, sin postura clara",
  advice: {
    nobody: "Aún no ha pasado nadie. Pase usted mismo.", turn_left: "Gire a la izquierda: la gente pasa por el borde izquierdo.", turn_right: "Gire a la derecha: la gente pasa por el borde derecho.",
    tilt_up: "Incline hacia arriba: se cortan las cabezas.", tilt_down: "Incline hacia abajo: se cortan los pies.", too_far: "Demasiado lejos: las personas son demasiado pequeñas.", too_near: "Demasiado cerca: las personas no caben.",
    too_steep: "Demasiado inclinada: cuélguela más baja o más lejos.", against_light: "A contraluz: el fondo es mucho más claro que las personas.", too_dark: "Demasiado oscuro.",
    too_brief: "Se ve a la gente muy poco tiempo: mire a lo largo de su camino.", crowded: "Demasiada gente: unos tapan a otros.", blurred: "Borrosa: limpie el cristal o enfoque.",
    no_card: "Aún no se ha leído la carta de colores.", good: "Así está bien.",
  },
  number: {pixels: "Altura de una persona", seconds: "Tiempo a la vista", frames: "Fotogramas de cada una", light: "Luz", height: "Cuelga a", tilt: "Inclinación", people: "A la vista", hidden: "Tapadas", small: "Muy pequeñas", passed: "Han pasado"},
  light: ["muy oscuro", "oscuro", "tenue", "regular", "buena", "buena", "clara", "deslumbrante"], metres: (metres) => `unos ${String(metres).replace(".", ",")} m`, north: "N", plan: "Hacia dónde mira",
  zones: "Donde no cuenta nadie", zonesMore: "La acera de enfrente, un maniquí. Toque las esquinas en la imagen y cierre la zona. Quien tenga los pies dentro no está.",
  draw: "Dibujar una zona", close: "Cerrarla", clear: "Quitar todas", save: "Guardar en la cámara", zonesSaved: "Guardado. La cámara vuelve a mirar.",
  walk: "Prueba de paso", walkMore: "Diga qué lleva, empiece y pase tres veces, a solas. Lo leído se compara y se descarta; solo quedan cuentas de aciertos y fallos.",
  notSaid: "no sé", begin: "Empezar", pass: "Paso ahora", passing: "Pase…", end: "Terminar",
  passEnd: {read: "Leído.", nobody: "No se le ha visto. Otra vez.", crowd: "Había alguien más: ese paso no cuenta."},
  accuracy: (right, said, low, high) => `${right} de ${said} palabras correctas, del ${percent(low)} al ${percent(high)} % (intervalo del 95 %)`,
  ready: "Lista", notReady: "No está lista: hacen falta la carta de colores, tres pasos y palabras correctas en más del 60 % con certeza.",
  columns: ["", "bien", "mal", "no dicho"],
  count: "Contar a mano", countMore: "Toque por cada persona durante unos minutos y compare con la cámara.", click: "Una persona",
  counted: (clicks, seen, low, high) => `Tocadas ${clicks}, vistas ${seen}: del ${percent(low)} al ${percent(high)} % (intervalo del 95 %)`,
  lock: "Bloquear para siempre", lockMore: "Una cámara bloqueada no se vuelve a orientar ni lee la carta de colores. Solo se deshace grabando de nuevo su tarjeta.",
  lockSure: "Escriba el nombre de la cámara para bloquearla.", lockNow: "Bloquear para siempre", locked: "bloqueada", card: "carta de colores leída", noCard: "sin carta de colores",
  state: {watching: "mirando", aiming: "orientándose", tested: "en prueba", silent: "en silencio", blind: "a ciegas", paused: "en pausa", frozen: "imagen congelada", too_dark: "demasiado oscura", too_bright: "demasiado clara", colourless: "sin color", blurred: "borrosa", moved: "movida"},
  why: {locked: "Esta cámara está bloqueada: no acepta órdenes.", silent: "Esta cámara no dice nada. Revise su corriente y su red.", other: "Se está orientando otra cámara. Una cada vez.", key: "El hub no tiene clave para firmar órdenes.", test: "No hay ninguna prueba en curso."},
  unanswered: "El hub no contestó. Inténtelo otra vez.", forbidden: (tablet) => `${tablet} no puede ajustar cámaras. En el hub: sudo leftfield booth tablet ${tablet} --installer`, signedOut: "Esta tableta no ha iniciado sesión. Abra el enlace de su alta.",
  link: {connecting: "Conectando…", up: "Conectada", stalled: "Sin conexión", waiting: "Sin conexión", refused: "Sin sesión", taken_over: "Abierta en otro sitio", stopped: "Sin sesión"},
};

/** @type {AimTexts} */
const FRENCH = {
  lang: "fr", heading: "Réglage", back: "‹ Caméras", camera: "Caméra", none: "Aucune caméra n’est encore appairée.",
  start: (minutes) => `Viser pendant ${minutes} minutes`, stop: "Arrêter",
  noPicture: "La caméra n’envoie aucune image : seulement la place des gens, en bonshommes, deux fois par seconde. Pendant ce temps personne n’est observé.",
  idle: "Pas en réglage", waiting: "La caméra change de mode…", nobody: "Personne en vue", unclear: "Des gens en vue, sans posture claire",
  advice: {
    nobody: "Personne n’est encore passé. Passez vous-même.", turn_left: "Tournez à gauche : les gens passent au bord gauche.", turn_right: "Tournez à droite : les gens passent au bord droit.",
    tilt_up: "Relevez : les têtes sont coupées.", tilt_down: "Baissez : les pieds sont coupés.", too_far: "Trop loin : les gens sont trop petits.", too_near: "Trop près : les gens ne tiennent pas dans l’image.",
    too_steep: "Trop plongeante : accrochez-la plus bas ou plus loin.", against_light: "À contre-jour : le fond est bien plus clair que les gens.", too_dark: "Trop sombre.",
    too_brief: "Les gens sont vus trop peu de temps : visez le long de leur chemin.", crowded: "Trop de monde : les gens se cachent.", blurred: "Flou : nettoyez la vitre ou faites le point.",
    no_card: "La charte de couleurs n’a pas encore été lue.", good: "C’est bien ainsi.",
  },
  number: {pixels: "Taille d’une personne", seconds: "Temps en vue", frames: "Images de chacun", light: "Lumière", height: "Accrochée à", tilt: "Inclinaison", people: "En vue", hidden: "Cachés", small: "Trop petits", passed: "Passés"},
  light: ["très sombre", "sombre", "faible", "moyenne", "bonne", "bonne", "vive", "éblouissante"], metres: (metres) => `environ ${String(metres).replace(".", ",")} m`, north: "N", plan: "Où elle regarde",
  zones: "Où personne ne compte", zonesMore: "Le trottoir d’en face, un mannequin. Touchez les coins sur l’image, puis fermez la zone. Qui a les pieds dedans n’est pas là.",
  draw: "Dessiner une zone", close: "La fermer", clear: "Tout enlever", save: "Garder sur la caméra", zonesSaved: "Gardé. La caméra observe de nouveau.",
  walk: "Essai de passage", walkMore: "Dites ce que vous portez, commencez et passez trois fois, seul. Ce qui est lu est comparé puis jeté ; seuls restent des comptes justes et faux.",
  notSaid: "pas sûr", begin: "Commencer", pass: "Je passe", passing: "Passez…", end: "Terminer",
  passEnd: {read: "Lu.", nobody: "Vous n’avez pas été vu. Encore une fois.", crowd: "Quelqu’un d’autre était en vue : ce passage ne compte pas."},
  accuracy: (right, said, low, high) => `${right} mots justes sur ${said}, de ${percent(low)} à ${percent(high)} % (intervalle à 95 %)`,
  ready: "Prête", notReady: "Pas prête : il faut la charte de couleurs, trois passages, et plus de 60 % de mots justes avec certitude.",
  columns: ["", "juste", "faux", "non dit"],
  count: "Compter à la main", countMore: "Touchez pour chaque passant pendant quelques minutes, et comparez avec la caméra.", click: "Un passant",
  counted: (clicks, seen, low, high) => `Touchés ${clicks}, vus ${seen} : de ${percent(low)} à ${percent(high)} % (intervalle à 95 %)`,
  lock: "Verrouiller pour toujours", lockMore: "Une caméra verrouillée n’est plus jamais réglée et ne lit plus de charte. Seule une nouvelle écriture de sa carte l’annule.",
  lockSure: "Tapez le nom de la caméra pour la verrouiller.", lockNow: "Verrouiller pour toujours", locked: "verrouillée", card: "charte lue", noCard: "sans charte de couleurs",
  state: {watching: "observe", aiming: "en réglage", tested: "à l’essai", silent: "muette", blind: "aveugle", paused: "en pause", frozen: "image figée", too_dark: "trop sombre", too_bright: "trop claire", colourless: "sans couleur", blurred: "floue", moved: "déplacée"},
  why: {locked: "Cette caméra est verrouillée : elle ne prend pas d’ordres.", silent: "Cette caméra ne dit rien. Voyez son courant et son réseau.", other: "Une autre caméra est en réglage. Une à la fois.", key: "Le hub n’a pas de clé pour signer.", test: "Aucun essai n’est en cours."},
  unanswered: "Le hub n’a pas répondu. Réessayez.", forbidden: (tablet) => `${tablet} ne peut pas régler de caméras. Sur le hub : sudo leftfield booth tablet ${tablet} --installer`, signedOut: "Cette tablette n’est pas connectée. Ouvrez le lien de son inscription.",
  link: {connecting: "Connexion…", up: "Connectée", stalled: "Non connectée", waiting: "Non connectée", refused: "Non inscrite", taken_over: "Ouverte ailleurs", stopped: "Non inscrite"},
};

/** @type {AimTexts} */
const CHINESE = {
  lang: "zh", heading: "调试", back: "‹ 摄像头", camera: "摄像头", none: "还没有配对的摄像头。",
  start: (minutes) => `对准 ${minutes} 分钟`, stop: "停止对准",
  noPicture: "摄像头不发送任何画面：只有人所在的位置，以火柴人表示，每秒两次。期间不观察任何人。",
  idle: "没有在对准", waiting: "摄像头正在切换…", nobody: "画面中没有人", unclear: "有人，但姿态不清楚",
  advice: {
    nobody: "还没有人经过。请自己走过去。", turn_left: "向左转：人们从左边缘经过。", turn_right: "向右转：人们从右边缘经过。", tilt_up: "向上抬：头部被切掉。", tilt_down: "向下压：脚部被切掉。",
    too_far: "太远：人太小，读不出来。", too_near: "太近：人放不进画面。", too_steep: "太陡：挂低一些或远一些。", against_light: "逆光：背景比人亮得多。", too_dark: "太暗。",
    too_brief: "人出现的时间太短：请顺着人流方向看。", crowded: "太拥挤：人们互相遮挡。", blurred: "模糊：请擦镜头或对焦。", no_card: "还没有读过色卡。", good: "这样很好。",
  },
  number: {pixels: "人的高度", seconds: "可见时间", frames: "每人的帧数", light: "光线", height: "安装高度", tilt: "向下倾斜", people: "画面中", hidden: "被遮挡", small: "太小", passed: "已经过"},
  light: ["很暗", "暗", "较暗", "一般", "好", "好", "亮", "刺眼"], metres: (metres) => `约 ${metres} 米`, north: "北", plan: "朝向",
  zones: "不计数的区域", zonesMore: "对面的人行道、假人模特。在图上点出各个角，然后闭合。脚在区域里的人视为不在。",
  draw: "画一个区域", close: "闭合", clear: "全部删除", save: "保存到摄像头", zonesSaved: "已保存。摄像头恢复工作。",
  walk: "步行测试", walkMore: "选出您穿的衣服，开始，然后独自走过三次。读出的内容只作比较，随后丢弃；只保留对错的次数。",
  notSaid: "不确定", begin: "开始", pass: "我现在走过去", passing: "请走过去…", end: "结束",
  passEnd: {read: "已读出。", nobody: "没有看到您。请再来一次。", crowd: "画面中还有别人：这次不算。"},
  accuracy: (right, said, low, high) => `${said} 个词中 ${right} 个正确，${percent(low)}% 至 ${percent(high)}%（95% 区间）`,
  ready: "就绪", notReady: "未就绪：需要色卡、三次走过，并且确定有超过 60% 的词正确。", columns: ["", "对", "错", "未说"],
  count: "人工计数", countMore: "几分钟内每经过一人点一下，再与摄像头比较。", click: "一个路人",
  counted: (clicks, seen, low, high) => `点了 ${clicks} 次，看到 ${seen} 人：${percent(low)}% 至 ${percent(high)}%（95% 区间）`,
  lock: "永久锁定", lockMore: "锁定的摄像头再也不能对准，也不再读色卡。只有重新刷写它的存储卡才能解除。", lockSure: "输入摄像头的名称以锁定。", lockNow: "永久锁定", locked: "已锁定", card: "色卡已读", noCard: "没有色卡",
  state: {watching: "工作中", aiming: "正在对准", tested: "测试中", silent: "无消息", blind: "看不见", paused: "已暂停", frozen: "画面静止", too_dark: "太暗", too_bright: "太亮", colourless: "没有颜色", blurred: "模糊", moved: "被移动"},
  why: {locked: "此摄像头已锁定：不接受命令。", silent: "此摄像头没有消息。请检查电源和网络。", other: "另一个摄像头正在对准。一次只能一个。", key: "主机没有用于签名的密钥。", test: "没有正在进行的测试。"},
  unanswered: "主机没有回答。请再试一次。", forbidden: (tablet) => `${tablet} 不能调试摄像头。在主机上：sudo leftfield booth tablet ${tablet} --installer`, signedOut: "此平板未登录。请打开登记时的链接。",
  link: {connecting: "正在连接…", up: "已连接", stalled: "未连接", waiting: "未连接", refused: "未登录", taken_over: "已在别处打开", stopped: "未登录"},
};

/** @type {Readonly<Record<string, AimTexts>>} */
const TEXTS = Object.freeze({en: ENGLISH, es: SPANISH, fr: FRENCH, zh: CHINESE});

/** The texts in the first language that the reader prefers. @param {readonly string[]} languages */
export function aimTexts(languages) {
  const known = languages.map((one) => one.toLowerCase().split("-")[0]).find((one) => Object.hasOwn(TEXTS, one));
  return TEXTS[known ?? "en"];
}

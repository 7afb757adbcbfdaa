/** Every sentence of the public page, in the four languages of the booth. */

/** @typedef {Readonly<Record<string, string>>} Terms */
/** @typedef {{noEnd: string, moment: string, days: (n: number) => string, hours: (n: number) => string, minutes: (n: number) => string, seconds: (n: number) => string}} Times */
/**
 * @typedef {object} HereTexts
 * @property {string} heading
 * @property {string} language
 * @property {string} away
 * @property {Terms} state
 * @property {(people: string) => string} today
 * @property {(share: number, word: string) => string} share
 * @property {(cameras: number) => string} locked
 * @property {(retention: string) => readonly string[]} short
 * @property {string} no
 * @property {(way: string) => string} wayRound
 * @property {string} wayRoundNone
 * @property {string} askPause
 * @property {(retention: string) => string} forget
 * @property {string} who
 * @property {string} basis
 * @property {Terms} bases
 * @property {string} purpose
 * @property {string} purposeText
 * @property {string} noticed
 * @property {(bits: number) => string} noticedMore
 * @property {string} silent
 * @property {string} never
 * @property {readonly string[]} neverList
 * @property {(number: number) => string} cameras
 * @property {string} noCameras
 * @property {(number: number) => string} simulated
 * @property {Terms} looks
 * @property {string} kept
 * @property {string} keptMore
 * @property {Terms} store
 * @property {Times} time
 * @property {string} rights
 * @property {readonly string[]} rightsList
 * @property {string} linkable
 * @property {readonly string[]} linkableText
 * @property {string} sample
 * @property {(bytes: number) => string} sampleMore
 * @property {string} closed
 * @property {string} closedMore
 * @property {Terms} missing
 */

/** Names of the stores, in the order of `appliance/settings/notice.py`. @param {string} list @returns {Terms} */
function stores(list) {
  const keys = ["frames", "tracks", "spool", "damaged", "queue", "journal", "alert", "claimed", "look", "broker", "ended", "set_aside", "forget", "strip", "trends", "hourly", "baseline", "days", "daily", "audit", "doubts", "prior", "acts", "journals"];
  const words = list.split("|");
  return Object.freeze(Object.fromEntries(keys.map((key, at) => [key, words[at]])));
}
/** Names of the directions. @param {string} list @returns {Terms} */
function directions(list) {
  const keys = ["north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west"];
  const words = list.split("|");
  return Object.freeze(Object.fromEntries(keys.map((key, at) => [key, words[at]])));
}

/** @type {HereTexts} */
const ENGLISH = {
  heading: "Cameras here read clothes, never faces", language: "Language", away: "This page cannot be reached. Ask the staff.",
  state: {watching: "The cameras are watching now.", learning: "The cameras are watching and learning what is usual.", paused: "The cameras are paused.", off: "No camera is watching now.", aiming: "A camera is being set up: an installer sees lines and stick figures, no picture.", unknown: "It is not known here whether the cameras are on. Ask the staff."},
  today: (people) => `About ${people} people today`, share: (share, word) => `tops: ${share} % ${word}`, locked: (cameras) => (cameras === 1 ? "1 camera is locked for good" : `${cameras} cameras are locked for good`),
  short: (retention) => [
    "They read what passers-by wear: colours, patterns and kinds of garments.", "No picture is kept, sent or shown, to anybody.",
    "Nothing above the shoulders is read: no face, no hair, no skin. No name, age, gender or shape of the body.",
    `Somebody dressed unlike nearly everybody may be offered a gift. The staff see the words about the clothes for at most ${retention}.`,
    "After that only counts remain, in steps of five people.",
  ],
  no: "How to say no", wayRound: (way) => `Before you are counted, take the way round: ${way}`, wayRoundNone: "Before you are counted: ask the staff for the way round the cameras.",
  askPause: "If staff come to you: you may say no. Nothing else happens.", forget: (retention) => `Ask any of the staff to forget you. It works at once, until ${retention} after you were seen; later nothing is left that could be found.`,
  who: "Who answers for this", basis: "Legal basis (GDPR, article 6.1)",
  bases: {consent: "consent (a)", contract: "contract (b)", "legal-obligation": "legal obligation (c)", "vital-interests": "vital interests (d)", "public-task": "public task (e)", "legitimate-interests": "legitimate interests (f)"},
  purpose: "Purpose", purposeText: "to give a gift to somebody dressed unlike nearly everybody. Nothing else.",
  noticed: "All that a camera can say", noticedMore: (bits) => `These words and no others, each “low”, “fair” or “sure”, or unknown. A message can hold ${bits} bits about the clothes and no more; no picture, face or name fits in.`,
  silent: "In the list, but no camera says it at present", never: "What is never read",
  neverList: ["Faces, hair, head coverings, skin", "Age, gender, body shape, height, way of walking", "Who somebody is, or whether they came by before", "Religious or medical signs; sound", "Number plates, phones, radio signals"],
  cameras: (number) => `Cameras (${number})`, noCameras: "No camera is enrolled.", simulated: (number) => `${number} more are simulated: they have no camera, and their people are made up.`,
  looks: directions("north|north-east|east|south-east|south|south-west|west|north-west"),
  kept: "What is kept, and for how long", keptMore: "Pictures are nowhere in this list but in the first line: they are in a camera’s memory until the next one.",
  store: stores("pictures, in the camera’s memory|outlines and body points, in the same memory, while somebody is in view|words about one person, on the camera unit, until the hub says that it has them (while the hub is away: until it is back)|damaged records, on the camera unit|the same words at the broker, after the hub has fetched them|the same words on the hub’s disk, until they are counted|an alert that nobody takes|an alert that somebody of the staff took|what was worn, in an alert, at most|the same at the broker after its end|number and end of an alert, after it|what the broker held when its store was damaged, on the hub|what is needed to forget somebody|a dot for each of the last people, without clothes, for the big screen|counts of the last hours in fives, none below 20, for the big screen|counts of people by the hour|counts of words in fives (half of them fade in a week)|on which days which camera watched|counts of people, alerts and gifts by the day|counts by camera, hour and word in fives|which words a camera misread (half fades in a week)|how common words are, on the camera units|what staff did with the booth (who, what, when), without clothes|journals of the programs, without clothes of single people"),
  time: {noEnd: "no end date", moment: "a moment", days: (n) => `${n} days`, hours: (n) => `${n} hours`, minutes: (n) => `${n} minutes`, seconds: (n) => `${n} seconds`},
  rights: "Your rights",
  rightsList: ["To be told: this page, the sign, and staff who say exactly what happened.", "To see your data: nothing can be looked up by person; while an alert is open the staff show you all there is.", "To be forgotten: ask any of the staff, at once.", "To object before you are counted: see above.", "No decision by a machine alone: a person decides each time.", "To complain: to the one who answers for this, or to the data-protection authority."],
  linkable: "Is this anonymous? No.",
  linkableText: ["A rare outfit singles somebody out for some minutes, though there is neither picture nor name. So we treat it as personal data.", "Counts are of sightings. Whoever alone wears some rare words and was seen in them three times or more can be read from the stored counts: the outfit, without face, name or time.", "Whoever held the words of two cameras could link them by rare clothing. The software has no function for that."],
  sample: "One message, as it is sent", sampleMore: (bytes) => `Made up. With its signature it has ${bytes} bytes; this is all that leaves a camera about a passer-by:`,
  closed: "This page is not open yet.", closedMore: "The booth has not said who answers for it. Until it does, the cameras should not watch. Missing in hub.toml:",
  missing: {controller: "who answers for the booth (notice.controller)", contact: "how to reach them (notice.contact)", legal_basis: "the legal basis (notice.legal_basis)", "hub.toml": "the hub’s configuration"},
};

/** @type {HereTexts} */
const SPANISH = {
  heading: "Aquí las cámaras leen ropa, nunca caras", language: "Idioma", away: "No se puede abrir esta página. Pregunte al personal.",
  state: {watching: "Las cámaras están mirando ahora.", learning: "Las cámaras miran y aprenden qué es lo habitual.", paused: "Las cámaras están en pausa.", off: "Ninguna cámara mira ahora.", aiming: "Se está ajustando una cámara: quien la instala ve líneas y muñecos de palo, ninguna imagen.", unknown: "Aquí no se sabe si las cámaras están encendidas. Pregunte al personal."},
  today: (people) => `Unas ${people} personas hoy`, share: (share, word) => `parte de arriba: ${share} % ${word}`, locked: (cameras) => (cameras === 1 ? "1 cámara bloqueada para siempre" : `${cameras} cámaras bloqueadas para siempre`),
  short: (retention) => [
    "Leen lo que llevan quienes pasan: colores, estampados y tipos de prenda.", "Ninguna imagen se guarda, se envía ni se muestra a nadie.",
    "No se lee nada por encima de los hombros: ni cara, ni pelo, ni piel. Ni nombre, edad, género o forma del cuerpo.",
    `A quien viste de forma muy distinta a casi todos se le puede ofrecer un regalo. El personal ve las palabras sobre la ropa durante ${retention} como máximo.`,
    "Después solo quedan recuentos, de cinco en cinco personas.",
  ],
  no: "Cómo decir que no", wayRound: (way) => `Antes de que le cuenten, rodee por aquí: ${way}`, wayRoundNone: "Antes de que le cuenten: pregunte al personal cómo rodear las cámaras.",
  askPause: "Si el personal se le acerca, puede decir que no. No pasa nada más.", forget: (retention) => `Pida a cualquiera del personal que le olvide. Funciona al instante, hasta ${retention} después de pasar; más tarde no queda nada que se pueda encontrar.`,
  who: "Quién responde de esto", basis: "Base jurídica (RGPD, artículo 6.1)",
  bases: {consent: "consentimiento (a)", contract: "contrato (b)", "legal-obligation": "obligación legal (c)", "vital-interests": "intereses vitales (d)", "public-task": "interés público (e)", "legitimate-interests": "interés legítimo (f)"},
  purpose: "Finalidad", purposeText: "dar un regalo a quien viste de forma distinta a casi todos. Nada más.",
  noticed: "Todo lo que puede decir una cámara", noticedMore: (bits) => `Estas palabras y ninguna otra, cada una «baja», «media» o «segura», o desconocida. En un mensaje caben ${bits} bits sobre la ropa y no más; no cabe ninguna imagen, cara ni nombre.`,
  silent: "Está en la lista, pero ninguna cámara lo dice por ahora", never: "Lo que nunca se lee",
  neverList: ["Caras, pelo, tocados, piel", "Edad, género, forma del cuerpo, altura, manera de andar", "Quién es alguien, o si ya pasó antes", "Signos religiosos o médicos; sonido", "Matrículas, teléfonos, señales de radio"],
  cameras: (number) => `Cámaras (${number})`, noCameras: "No hay ninguna cámara registrada.", simulated: (number) => `${number} más son simuladas: no tienen cámara y su gente es inventada.`,
  looks: directions("norte|noreste|este|sureste|sur|suroeste|oeste|noroeste"),
  kept: "Qué se guarda y cuánto tiempo", keptMore: "Las imágenes solo aparecen en la primera línea: están en la memoria de la cámara hasta la siguiente.",
  store: stores("imágenes, en la memoria de la cámara|contornos y puntos del cuerpo, en la misma memoria, mientras alguien está a la vista|palabras sobre una persona, en la unidad, hasta que la central dice que las tiene (si la central no está: hasta que vuelva)|registros dañados, en la unidad|las mismas palabras en el intermediario, después de que la central las recoja|las mismas palabras en el disco de la central, hasta contarlas|un aviso que nadie atiende|un aviso que alguien del personal atiende|lo que se llevaba, en un aviso, como máximo|lo mismo en el intermediario tras su final|número y final de un aviso, después|lo que guardaba el intermediario cuando se dañó, en la central|lo necesario para olvidar a alguien|un punto por cada una de las últimas personas, sin ropa, para la pantalla grande|recuentos de las últimas horas de cinco en cinco, ninguno menor de 20, para la pantalla grande|recuentos de personas por hora|recuentos de palabras de cinco en cinco (la mitad se borra en una semana)|qué días miró cada cámara|recuentos diarios de personas, avisos y regalos|recuentos por cámara, hora y palabra de cinco en cinco|qué palabras leyó mal una cámara (la mitad se borra en una semana)|lo comunes que son las palabras, en las unidades|lo que el personal hizo con el puesto (quién, qué, cuándo), sin ropa|diarios de los programas, sin ropa de personas concretas"),
  time: {noEnd: "sin fecha final", moment: "un instante", days: (n) => `${n} días`, hours: (n) => `${n} horas`, minutes: (n) => `${n} minutos`, seconds: (n) => `${n} segundos`},
  rights: "Sus derechos",
  rightsList: ["Ser informado: esta página, el cartel y un personal que dice exactamente qué ha pasado.", "Ver sus datos: nada se puede buscar por persona; mientras un aviso está abierto, el personal le muestra todo lo que hay.", "Ser olvidado: pídalo a cualquiera del personal, al instante.", "Oponerse antes de ser contado: véase arriba.", "Ninguna decisión la toma solo una máquina: decide siempre una persona.", "Reclamar: a quien responde de esto o a la autoridad de protección de datos."],
  linkable: "¿Es anónimo? No.",
  linkableText: ["Un atuendo raro señala a alguien durante unos minutos, aunque no haya imagen ni nombre. Por eso lo tratamos como datos personales.", "Se cuentan avistamientos. A quien es el único en llevar algunas palabras raras y fue visto así tres veces o más se le puede leer en los recuentos guardados: el atuendo, sin cara, nombre ni hora.", "Quien tuviera las palabras de dos cámaras podría relacionarlas por una ropa rara. El programa no tiene ninguna función para eso."],
  sample: "Un mensaje, tal como se envía", sampleMore: (bytes) => `Inventado. Con su firma tiene ${bytes} bytes; es todo lo que sale de una cámara sobre quien pasa:`,
  closed: "Esta página aún no está abierta.", closedMore: "El puesto no ha dicho quién responde de él. Hasta entonces las cámaras no deberían mirar. Falta en hub.toml:",
  missing: {controller: "quién responde del puesto (notice.controller)", contact: "cómo contactar (notice.contact)", legal_basis: "la base jurídica (notice.legal_basis)", "hub.toml": "la configuración de la central"},
};

/** @type {HereTexts} */
const FRENCH = {
  heading: "Ici, des caméras lisent les vêtements, jamais les visages", language: "Langue", away: "Cette page est injoignable. Demandez à l’équipe.",
  state: {watching: "Les caméras observent en ce moment.", learning: "Les caméras observent et apprennent ce qui est habituel.", paused: "Les caméras sont en pause.", off: "Aucune caméra n’observe en ce moment.", aiming: "Une caméra est en cours de réglage : l’installateur voit des lignes et des bonshommes en traits, aucune image.", unknown: "On ne sait pas ici si les caméras sont allumées. Demandez à l’équipe."},
  today: (people) => `Environ ${people} personnes aujourd’hui`, share: (share, word) => `hauts : ${share} % ${word}`, locked: (cameras) => (cameras === 1 ? "1 caméra verrouillée pour toujours" : `${cameras} caméras verrouillées pour toujours`),
  short: (retention) => [
    "Elles lisent ce que portent les passants : couleurs, motifs et types de vêtements.", "Aucune image n’est gardée, envoyée ni montrée, à personne.",
    "Rien n’est lu au-dessus des épaules : ni visage, ni cheveux, ni peau. Ni nom, ni âge, ni genre, ni forme du corps.",
    `Une personne habillée autrement que presque tout le monde peut recevoir un cadeau. L’équipe voit les mots sur ses vêtements pendant ${retention} au plus.`,
    "Ensuite il ne reste que des comptes, par pas de cinq personnes.",
  ],
  no: "Comment dire non", wayRound: (way) => `Avant d’être compté, contournez par ici : ${way}`, wayRoundNone: "Avant d’être compté : demandez à l’équipe comment contourner les caméras.",
  askPause: "Si l’équipe vient vers vous, vous pouvez dire non. Rien d’autre ne se passe.", forget: (retention) => `Demandez à l’équipe de vous oublier. C’est immédiat, jusqu’à ${retention} après votre passage ; plus tard, il ne reste rien que l’on puisse retrouver.`,
  who: "Qui en répond", basis: "Base légale (RGPD, article 6.1)",
  bases: {consent: "consentement (a)", contract: "contrat (b)", "legal-obligation": "obligation légale (c)", "vital-interests": "intérêts vitaux (d)", "public-task": "mission d’intérêt public (e)", "legitimate-interests": "intérêts légitimes (f)"},
  purpose: "But", purposeText: "offrir un cadeau à qui est habillé autrement que presque tout le monde. Rien d’autre.",
  noticed: "Tout ce qu’une caméra peut dire", noticedMore: (bits) => `Ces mots et aucun autre, chacun « faible », « moyen » ou « sûr », ou inconnu. Un message contient ${bits} bits sur les vêtements, pas plus ; ni image, ni visage, ni nom n’y tient.`,
  silent: "Dans la liste, mais aucune caméra ne le dit pour l’instant", never: "Ce qui n’est jamais lu",
  neverList: ["Visages, cheveux, coiffes, peau", "Âge, genre, forme du corps, taille, démarche", "Qui est quelqu’un, ou s’il est déjà passé", "Signes religieux ou médicaux ; son", "Plaques, téléphones, signaux radio"],
  cameras: (number) => `Caméras (${number})`, noCameras: "Aucune caméra n’est inscrite.", simulated: (number) => `${number} de plus sont simulées : elles n’ont pas de caméra, et leurs passants sont inventés.`,
  looks: directions("nord|nord-est|est|sud-est|sud|sud-ouest|ouest|nord-ouest"),
  kept: "Ce qui est gardé, et combien de temps", keptMore: "Les images ne sont que dans la première ligne : elles restent dans la mémoire de la caméra jusqu’à la suivante.",
  store: stores("images, dans la mémoire de la caméra|contours et points du corps, dans la même mémoire, tant que la personne est visible|mots sur une personne, sur l’unité, jusqu’à ce que la centrale dise qu’elle les a (si la centrale est absente : jusqu’à son retour)|enregistrements abîmés, sur l’unité|les mêmes mots chez l’intermédiaire, une fois relevés par la centrale|les mêmes mots sur le disque de la centrale, jusqu’au comptage|une alerte que personne ne prend|une alerte prise par quelqu’un de l’équipe|ce qui était porté, dans une alerte, au plus|la même chose chez l’intermédiaire après sa fin|numéro et fin d’une alerte, ensuite|ce que l’intermédiaire gardait quand il a été abîmé, sur la centrale|ce qu’il faut pour oublier quelqu’un|un point par personne des dernières minutes, sans vêtements, pour le grand écran|comptes des dernières heures par cinq, aucun sous 20, pour le grand écran|comptes de personnes par heure|comptes de mots par cinq (la moitié s’efface en une semaine)|quels jours chaque caméra a observé|comptes de personnes, d’alertes et de cadeaux par jour|comptes par caméra, heure et mot, par cinq|quels mots une caméra a mal lus (la moitié s’efface en une semaine)|fréquence des mots, sur les unités|ce que l’équipe a fait avec le stand (qui, quoi, quand), sans vêtements|journaux des programmes, sans vêtements de personnes précises"),
  time: {noEnd: "sans date de fin", moment: "un instant", days: (n) => `${n} jours`, hours: (n) => `${n} heures`, minutes: (n) => `${n} minutes`, seconds: (n) => `${n} secondes`},
  rights: "Vos droits",
  rightsList: ["Être informé : cette page, le panneau, et une équipe qui dit exactement ce qui s’est passé.", "Voir vos données : rien ne peut être cherché par personne ; tant qu’une alerte est ouverte, l’équipe vous montre tout ce qu’il y a.", "Être oublié : demandez à l’équipe, c’est immédiat.", "Vous opposer avant d’être compté : voir plus haut.", "Aucune décision par une machine seule : une personne décide chaque fois.", "Vous plaindre : à qui en répond, ou à l’autorité de protection des données."],
  linkable: "Est-ce anonyme ? Non.",
  linkableText: ["Une tenue rare distingue quelqu’un pendant quelques minutes, sans image et sans nom. Nous la traitons donc comme une donnée personnelle.", "Les comptes sont des passages. Qui est seul à porter certains mots rares et a été vu ainsi trois fois ou plus peut être lu dans les comptes gardés : la tenue, sans visage, nom ni heure.", "Qui aurait les mots de deux caméras pourrait les relier par un vêtement rare. Le logiciel n’a aucune fonction pour cela."],
  sample: "Un message, tel qu’il est envoyé", sampleMore: (bytes) => `Inventé. Avec sa signature il fait ${bytes} octets ; c’est tout ce qui sort d’une caméra sur un passant :`,
  closed: "Cette page n’est pas encore ouverte.", closedMore: "Le stand n’a pas dit qui en répond. D’ici là, les caméras ne devraient pas observer. Il manque dans hub.toml :",
  missing: {controller: "qui répond du stand (notice.controller)", contact: "comment le joindre (notice.contact)", legal_basis: "la base légale (notice.legal_basis)", "hub.toml": "la configuration de la centrale"},
};

/** @type {HereTexts} */
const CHINESE = {
  heading: "这里的摄像头只看衣着，从不看脸", language: "语言", away: "无法打开此页面，请询问工作人员。",
  state: {watching: "摄像头正在工作。", learning: "摄像头正在工作，并在学习平常的样子。", paused: "摄像头已暂停。", off: "现在没有摄像头在工作。", aiming: "正在调整一个摄像头：安装人员只看到线条和火柴人，没有画面。", unknown: "此处无法得知摄像头是否开启，请询问工作人员。"},
  today: (people) => `今日约 ${people} 人`, share: (share, word) => `上衣：${word} ${share}%`, locked: (cameras) => `${cameras} 个摄像头已永久锁定`,
  short: (retention) => [
    "它们读取行人的穿着：颜色、图案和款式。", "不保存、不发送、不展示任何画面，对任何人都如此。",
    "肩部以上的一切都不读取：没有脸、头发、皮肤；没有姓名、年龄、性别、体形。",
    `穿着与几乎所有人都不同的人，可能会得到一份礼物。工作人员最多在${retention}内看到关于衣着的词语。`,
    "此后只剩下以五人为单位的计数。",
  ],
  no: "如何拒绝", wayRound: (way) => `不想被计入，请绕行：${way}`, wayRoundNone: "不想被计入：请向工作人员询问绕开摄像头的路。",
  askPause: "工作人员走近时，您可以说不，不会有其他后果。", forget: (retention) => `请任何一位工作人员“忘记我”，立即生效；被看到后${retention}内有效，之后已没有可以找到的内容。`,
  who: "由谁负责", basis: "法律依据（GDPR 第 6 条第 1 款）",
  bases: {consent: "同意 (a)", contract: "合同 (b)", "legal-obligation": "法定义务 (c)", "vital-interests": "重大利益 (d)", "public-task": "公共任务 (e)", "legitimate-interests": "正当利益 (f)"},
  purpose: "目的", purposeText: "向穿着与几乎所有人都不同的人赠送礼物，仅此而已。",
  noticed: "摄像头能说的全部内容", noticedMore: (bits) => `只有这些词，每个词为“低”“中”或“确定”，或未知。一条消息中关于衣着最多 ${bits} 比特，放不下任何画面、面孔或姓名。`,
  silent: "列表中有，但目前摄像头不说", never: "从不读取的内容",
  neverList: ["面孔、头发、头巾帽饰、皮肤", "年龄、性别、体形、身高、步态", "某人是谁，或是否来过", "宗教或医疗标志；声音", "车牌、手机、无线信号"],
  cameras: (number) => `摄像头（${number}）`, noCameras: "没有已登记的摄像头。", simulated: (number) => `另有 ${number} 个是模拟的：没有摄像头，行人是虚构的。`,
  looks: directions("北|东北|东|东南|南|西南|西|西北"),
  kept: "保存什么，保存多久", keptMore: "画面只出现在第一行：在摄像头内存中，直到下一帧。",
  store: stores("画面，在摄像头内存中|轮廓与身体点，同一内存，人在视野内时|关于一个人的词语，在摄像头设备上，直到主机确认收到（主机不在时：直到恢复）|损坏的记录，在摄像头设备上|同样的词语，在消息代理上，主机取走之后|同样的词语，在主机磁盘上，直到计数|无人处理的提醒|工作人员已接手的提醒|提醒中的衣着，最多|提醒结束后在消息代理上|提醒结束后的编号和结果|消息代理存储损坏时留下的内容，在主机上|用于“忘记”的内容|最近每个人一个点，不含衣着，用于大屏幕|最近几小时的计数，以五为单位，不低于 20，用于大屏幕|每小时人数|词语计数，以五为单位（一周减半）|各摄像头在哪些日子工作过|每日人数、提醒与礼物数|按摄像头、小时和词语的计数，以五为单位|摄像头读错的词（一周减半）|词语的常见程度，在摄像头设备上|工作人员对展台做过的事（谁、什么、何时），不含衣着|程序日志，不含个人衣着"),
  time: {noEnd: "无截止日期", moment: "一瞬间", days: (n) => `${n} 天`, hours: (n) => `${n} 小时`, minutes: (n) => `${n} 分钟`, seconds: (n) => `${n} 秒`},
  rights: "您的权利",
  rightsList: ["知情：本页面、告示牌，以及如实说明的工作人员。", "查看您的数据：无法按人查找；提醒未结束时，工作人员会给您看全部内容。", "被忘记：向任何一位工作人员提出，立即生效。", "在被计入之前拒绝：见上。", "不会仅由机器作决定：每次都由人决定。", "投诉：向负责人或数据保护机构提出。"],
  linkable: "这是匿名的吗？不是。",
  linkableText: ["少见的穿着会在几分钟内让一个人与众不同，尽管没有画面和姓名。因此我们把它当作个人数据。", "计数的是“看到的次数”。如果某人独自穿着某些少见的词，并被看到三次或以上，可以从保存的计数中读出这身穿着，但没有面孔、姓名或时间。", "同时掌握两个摄像头词语的人，可能凭少见的衣着把它们联系起来。软件没有这种功能。"],
  sample: "一条消息的原样", sampleMore: (bytes) => `虚构示例。连同签名共 ${bytes} 字节；关于一位行人，离开摄像头的全部内容就是：`,
  closed: "此页面尚未开放。", closedMore: "展位尚未说明由谁负责。在此之前，摄像头不应工作。hub.toml 中缺少：",
  missing: {controller: "负责方（notice.controller）", contact: "联系方式（notice.contact）", legal_basis: "法律依据（notice.legal_basis）", "hub.toml": "主机的配置"},
};

/** @type {Readonly<Record<string, HereTexts>>} */
export const HERE_TEXTS = Object.freeze({en: ENGLISH, es: SPANISH, fr: FRENCH, zh: CHINESE});

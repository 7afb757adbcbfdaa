/** Every sentence of the big screen, in the four languages of the booth. */

/** @typedef {Readonly<Record<string, string>>} Terms */
/**
 * @typedef {object} RoomTexts
 * @property {string} heading
 * @property {string} language
 * @property {string} tables
 * @property {Terms} link
 * @property {string} hubAway
 * @property {(seconds: number) => string} silent
 * @property {string} signedOut
 * @property {string} simulated
 * @property {Terms} tile
 * @property {string} tops
 * @property {string} bottoms
 * @property {string} now
 * @property {string} usual
 * @property {string} noPast
 * @property {string} moving
 * @property {string} still
 * @property {string} rises
 * @property {string} falls
 * @property {(usual: string) => string} usually
 * @property {(since: string) => string} since
 * @property {string} shares
 * @property {string} strip
 * @property {string} stripMore
 * @property {(many: string) => string} oneIn
 * @property {string} real
 * @property {string} made
 * @property {string} alerts
 * @property {Terms} end
 * @property {string} pacing
 * @property {(time: string) => string} finish
 * @property {(gifts: string) => string} left
 * @property {string} finishUnknown
 * @property {(people: string) => string} still_to_come
 * @property {(free: number, staff: number) => string} staff
 * @property {(opens: string, closes: string) => string} hours
 * @property {string} baseline
 * @property {(people: string) => string} learned
 * @property {(people: string) => string} needs
 * @property {string} units
 * @property {Terms} state
 * @property {Terms} accelerator
 * @property {(fps: number) => string} fps
 * @property {(number: string) => string} spooled
 * @property {(number: string) => string} dropped
 * @property {string} clock
 * @property {string} unboxed
 * @property {string} boxed
 * @property {string} unheard
 * @property {(number: number) => string} more
 * @property {string} refused
 * @property {string} refusedNone
 * @property {Terms} rule
 * @property {Terms} column
 * @property {(least: number) => string} privacy
 */

/** @type {RoomTexts} */
const ENGLISH = {
  heading: "What people wear here", language: "Language", tables: "Tables",
  link: {connecting: "Connecting…", up: "Live", stalled: "Not connected", waiting: "Not connected", refused: "Not signed in", taken_over: "Open elsewhere", stopped: "Not signed in", hub_away: "Hub is away"},
  hubAway: "The hub has stopped. What you see is old.", silent: (seconds) => `The hub has said nothing for ${seconds} s`,
  signedOut: "This screen is not signed in. Open the link that the lead has for it.",
  simulated: "Simulated street: some of these people are made up.",
  tile: {people: "people today", alerts: "alerts", gifted: "gifts given", stock: "gifts left", waiting: "waiting for staff"},
  tops: "Tops, by colour", bottoms: "Trousers and skirts, by colour", now: "last hour", usual: "usual",
  noPast: "The first stretch is told when 200 people have passed and its quarter of an hour is over.",
  moving: "What is changing", still: "Nothing: the last hour is like the weeks before.",
  rises: "more than usual", falls: "less than usual", usually: (usual) => `usually ${usual}`, since: (since) => `since ${since}`,
  shares: "The last hour against usual",
  strip: "The last five minutes: everybody is a dot", stripMore: "The higher, the rarer. No outfit, no camera, no name.",
  oneIn: (many) => `1 in ${many}`, real: "real", made: "simulated",
  alerts: "Alerts and how they ended",
  end: {open: "open", gifted: "gift given", declined: "declined", not_found: "not found", expired: "expired", other: "dismissed or forgotten"},
  pacing: "Gifts and staff", finish: (time) => `Last gift at about ${time}`, left: (gifts) => `About ${gifts} will be left at closing`,
  finishUnknown: "Last gift: too early to say", still_to_come: (people) => `${people} people still to come`,
  staff: (free, staff) => `${free} of ${staff} staff free`, hours: (opens, closes) => `${opens} to ${closes}`,
  baseline: "What is usual", learned: (people) => `Usual: learnt from ${people} people`, needs: (people) => `Still learning what is usual: ${people} people to go`,
  units: "Cameras", state: {watching: "watching", paused: "paused", aiming: "being aimed", tested: "being tested", blind: "blind", frozen: "picture frozen", too_dark: "too dark", too_bright: "too bright", colourless: "no colour", blurred: "blurred", moved: "moved", silent: "silent", offline: "offline"},
  accelerator: {cpu: "CPU", edge_tpu: "Edge TPU", cpu_fallback: "CPU, Edge TPU away"}, fps: (fps) => `${fps} pictures/s`,
  spooled: (number) => `${number} in spool`, dropped: (number) => `${number} lost`, clock: "clock not set", unboxed: "unboxed", boxed: "boxed", unheard: "not heard yet",
  more: (number) => `and ${number} more`, refused: "Refused", refusedNone: "Nothing was refused.",
  rule: {1: "too long", 2: "malformed", 3: "unknown key", 4: "forged", 5: "wrong topic", 6: "revoked", 7: "repeated", 8: "rolled back", 9: "from the future", 10: "other version", 11: "not in the vocabulary", 12: "weak key", 13: "malformed request", 14: "not permitted", 15: "too fast"},
  column: {time: "Time", word: "Word", people: "People", rarity: "Rarity", number: "Number", unit: "Camera", share: "Share", interval: "Interval"},
  privacy: (least) => `Counts in fives; what fewer than ${least} people wore is not shown.`,
};

/** @type {RoomTexts} */
const SPANISH = {
  heading: "Qué se lleva aquí", language: "Idioma", tables: "Tablas",
  link: {connecting: "Conectando…", up: "En directo", stalled: "Sin conexión", waiting: "Sin conexión", refused: "Sin sesión", taken_over: "Abierta en otro sitio", stopped: "Sin sesión", hub_away: "La central no está"},
  hubAway: "La central se ha parado. Lo que se ve es antiguo.", silent: (seconds) => `La central no dice nada desde hace ${seconds} s`,
  signedOut: "Esta pantalla no tiene sesión. Abra el enlace que tiene la persona encargada.",
  simulated: "Calle simulada: algunas de estas personas son inventadas.",
  tile: {people: "personas hoy", alerts: "avisos", gifted: "regalos dados", stock: "regalos que quedan", waiting: "esperan al personal"},
  tops: "Parte de arriba, por color", bottoms: "Parte de abajo, por color", now: "última hora", usual: "habitual",
  noPast: "El primer tramo se muestra cuando han pasado 200 personas y ha terminado su cuarto de hora.",
  moving: "Qué está cambiando", still: "Nada: la última hora es como las semanas anteriores.",
  rises: "más de lo habitual", falls: "menos de lo habitual", usually: (usual) => `habitual: ${usual}`, since: (since) => `desde las ${since}`,
  shares: "La última hora frente a lo habitual",
  strip: "Los últimos cinco minutos: cada persona es un punto", stripMore: "Cuanto más arriba, más raro. Sin ropa, sin cámara, sin nombre.",
  oneIn: (many) => `1 de ${many}`, real: "reales", made: "simuladas",
  alerts: "Avisos y cómo terminaron",
  end: {open: "abierto", gifted: "regalo dado", declined: "rechazado", not_found: "no encontrado", expired: "caducado", other: "descartado u olvidado"},
  pacing: "Regalos y personal", finish: (time) => `Último regalo hacia las ${time}`, left: (gifts) => `Al cerrar sobrarán unos ${gifts}`,
  finishUnknown: "Último regalo: aún no se sabe", still_to_come: (people) => `faltan por pasar ${people} personas`,
  staff: (free, staff) => `${free} de ${staff} personas libres`, hours: (opens, closes) => `de ${opens} a ${closes}`,
  baseline: "Lo habitual", learned: (people) => `Lo habitual, aprendido de ${people} personas`, needs: (people) => `Aún aprende lo habitual: faltan ${people} personas`,
  units: "Cámaras", state: {watching: "mirando", paused: "en pausa", aiming: "orientándose", tested: "en prueba", blind: "a ciegas", frozen: "imagen congelada", too_dark: "demasiado oscura", too_bright: "demasiado clara", colourless: "sin color", blurred: "borrosa", moved: "movida", silent: "en silencio", offline: "sin conexión"},
  accelerator: {cpu: "CPU", edge_tpu: "Edge TPU", cpu_fallback: "CPU, falta la Edge TPU"}, fps: (fps) => `${fps} imágenes/s`,
  spooled: (number) => `${number} en cola`, dropped: (number) => `${number} perdidos`, clock: "reloj sin ajustar", unboxed: "sin muros", boxed: "con muros", unheard: "aún sin noticias",
  more: (number) => `y ${number} más`, refused: "Rechazados", refusedNone: "No se ha rechazado nada.",
  rule: {1: "demasiado largo", 2: "mal formado", 3: "clave desconocida", 4: "falsificado", 5: "tema equivocado", 6: "revocado", 7: "repetido", 8: "retrocedido", 9: "del futuro", 10: "otra versión", 11: "fuera del vocabulario", 12: "clave débil", 13: "petición mal formada", 14: "no permitido", 15: "demasiado rápido"},
  column: {time: "Hora", word: "Palabra", people: "Personas", rarity: "Rareza", number: "Número", unit: "Cámara", share: "Parte", interval: "Intervalo"},
  privacy: (least) => `Recuentos de cinco en cinco; lo que llevan menos de ${least} personas no se muestra.`,
};

/** @type {RoomTexts} */
const FRENCH = {
  heading: "Ce que l’on porte ici", language: "Langue", tables: "Tableaux",
  link: {connecting: "Connexion…", up: "En direct", stalled: "Pas de connexion", waiting: "Pas de connexion", refused: "Non identifié", taken_over: "Ouvert ailleurs", stopped: "Non identifié", hub_away: "La centrale est absente"},
  hubAway: "La centrale s’est arrêtée. Ce que vous voyez est ancien.", silent: (seconds) => `La centrale ne dit rien depuis ${seconds} s`,
  signedOut: "Cet écran n’est pas identifié. Ouvrez le lien que la personne responsable a pour lui.",
  simulated: "Rue simulée : certaines de ces personnes sont inventées.",
  tile: {people: "personnes aujourd’hui", alerts: "alertes", gifted: "cadeaux donnés", stock: "cadeaux restants", waiting: "attendent l’équipe"},
  tops: "Hauts, par couleur", bottoms: "Bas, par couleur", now: "dernière heure", usual: "habituel",
  noPast: "La première tranche apparaît quand 200 personnes sont passées et que son quart d’heure est fini.",
  moving: "Ce qui change", still: "Rien : la dernière heure ressemble aux semaines passées.",
  rises: "plus que d’habitude", falls: "moins que d’habitude", usually: (usual) => `d’habitude ${usual}`, since: (since) => `depuis ${since}`,
  shares: "La dernière heure face à l’habitude",
  strip: "Les cinq dernières minutes : chaque personne est un point", stripMore: "Plus c’est haut, plus c’est rare. Ni tenue, ni caméra, ni nom.",
  oneIn: (many) => `1 sur ${many}`, real: "réelles", made: "simulées",
  alerts: "Alertes et leur issue",
  end: {open: "ouverte", gifted: "cadeau donné", declined: "refusé", not_found: "introuvable", expired: "expirée", other: "écartée ou oubliée"},
  pacing: "Cadeaux et équipe", finish: (time) => `Dernier cadeau vers ${time}`, left: (gifts) => `Il en restera environ ${gifts} le soir`,
  finishUnknown: "Dernier cadeau : trop tôt", still_to_come: (people) => `${people} personnes encore à venir`,
  staff: (free, staff) => `${free} sur ${staff} personnes libres`, hours: (opens, closes) => `de ${opens} à ${closes}`,
  baseline: "L’habitude", learned: (people) => `Habitude apprise de ${people} personnes`, needs: (people) => `Apprend encore l’habitude : ${people} personnes manquent`,
  units: "Caméras", state: {watching: "observe", paused: "en pause", aiming: "en réglage", tested: "à l’essai", blind: "aveugle", frozen: "image figée", too_dark: "trop sombre", too_bright: "trop claire", colourless: "sans couleur", blurred: "floue", moved: "déplacée", silent: "muette", offline: "hors ligne"},
  accelerator: {cpu: "CPU", edge_tpu: "Edge TPU", cpu_fallback: "CPU, Edge TPU absent"}, fps: (fps) => `${fps} images/s`,
  spooled: (number) => `${number} en attente`, dropped: (number) => `${number} perdus`, clock: "horloge non réglée", unboxed: "sans murs", boxed: "avec murs", unheard: "pas encore entendue",
  more: (number) => `et ${number} de plus`, refused: "Refusés", refusedNone: "Rien n’a été refusé.",
  rule: {1: "trop long", 2: "mal formé", 3: "clé inconnue", 4: "falsifié", 5: "mauvais sujet", 6: "révoqué", 7: "répété", 8: "retour en arrière", 9: "du futur", 10: "autre version", 11: "hors du vocabulaire", 12: "clé faible", 13: "demande mal formée", 14: "non permis", 15: "trop rapide"},
  column: {time: "Heure", word: "Mot", people: "Personnes", rarity: "Rareté", number: "Nombre", unit: "Caméra", share: "Part", interval: "Intervalle"},
  privacy: (least) => `Comptes par cinq ; ce que portent moins de ${least} personnes n’est pas montré.`,
};

/** @type {RoomTexts} */
const CHINESE = {
  heading: "这里的人穿什么", language: "语言", tables: "表格",
  link: {connecting: "正在连接…", up: "实时", stalled: "未连接", waiting: "未连接", refused: "未登录", taken_over: "已在别处打开", stopped: "未登录", hub_away: "主机不在线"},
  hubAway: "主机已停止，当前显示的是旧内容。", silent: (seconds) => `主机已 ${seconds} 秒没有消息`,
  signedOut: "此屏幕尚未登录。请打开负责人提供的链接。",
  simulated: "模拟街道：其中一些行人是虚构的。",
  tile: {people: "今日行人", alerts: "提醒", gifted: "已送礼物", stock: "剩余礼物", waiting: "等待工作人员"},
  tops: "上衣颜色", bottoms: "下装颜色", now: "最近一小时", usual: "平常",
  noPast: "满 200 人经过且该一刻钟结束后，才显示第一段。",
  moving: "正在变化", still: "没有变化：最近一小时与前几周相同。",
  rises: "比平常多", falls: "比平常少", usually: (usual) => `平常 ${usual}`, since: (since) => `自 ${since}`,
  shares: "最近一小时与平常",
  strip: "最近五分钟：每个人是一个点", stripMore: "越高越少见。没有衣着，没有摄像头，没有姓名。",
  oneIn: (many) => `${many} 人中 1 人`, real: "真实", made: "模拟",
  alerts: "提醒及结果",
  end: {open: "未结束", gifted: "已送礼物", declined: "被谢绝", not_found: "没找到", expired: "已过期", other: "撤销或遗忘"},
  pacing: "礼物与人手", finish: (time) => `最后一份礼物约在 ${time} 送出`, left: (gifts) => `打烊时约剩 ${gifts} 份`,
  finishUnknown: "现在还无法预计礼物何时送完", still_to_come: (people) => `预计还有 ${people} 人经过`,
  staff: (free, staff) => `${staff} 名工作人员中 ${free} 名空闲`, hours: (opens, closes) => `${opens} 至 ${closes}`,
  baseline: "平常的样子", learned: (people) => `“平常”学自 ${people} 人`, needs: (people) => `仍在学习平常的样子：还差 ${people} 人`,
  units: "摄像头", state: {watching: "工作中", paused: "已暂停", aiming: "正在对准", tested: "测试中", blind: "看不见", frozen: "画面静止", too_dark: "太暗", too_bright: "太亮", colourless: "没有颜色", blurred: "模糊", moved: "被移动", silent: "无消息", offline: "离线"},
  accelerator: {cpu: "CPU", edge_tpu: "Edge TPU", cpu_fallback: "CPU（Edge TPU 不在）"}, fps: (fps) => `每秒 ${fps} 帧`,
  spooled: (number) => `待发 ${number} 条`, dropped: (number) => `丢失 ${number} 条`, clock: "时钟未校准", unboxed: "无隔离", boxed: "已隔离", unheard: "尚无消息",
  more: (number) => `另有 ${number} 个`, refused: "被拒绝", refusedNone: "没有被拒绝的消息。",
  rule: {1: "过长", 2: "格式错误", 3: "未知密钥", 4: "伪造", 5: "主题错误", 6: "已吊销", 7: "重复", 8: "回退", 9: "来自未来", 10: "版本不同", 11: "不在词表中", 12: "弱密钥", 13: "请求格式错误", 14: "不允许", 15: "过快"},
  column: {time: "时间", word: "词", people: "人数", rarity: "少见程度", number: "数量", unit: "摄像头", share: "占比", interval: "区间"},
  privacy: (least) => `计数以五为单位；少于 ${least} 人的穿着不显示。`,
};

/** @type {Readonly<Record<string, RoomTexts>>} */
export const ROOM_TEXTS = Object.freeze({en: ENGLISH, es: SPANISH, fr: FRENCH, zh: CHINESE});

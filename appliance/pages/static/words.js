/** The words of the vocabulary in the booth's four languages, as a label: attribute, then word. */

/** @typedef {{colon: string, attribute: Readonly<Record<string, string>>, word: Readonly<Record<string, string>>}} Words */

/** @param {string} list @returns {Readonly<Record<string, string>>} colours in the vocabulary's order, patterns, garments */
function named(list) {
  const keys = ["black", "grey", "white", "red", "orange", "brown", "yellow", "green", "blue", "purple", "pink", "beige", "plain", "patterned", "striped", "checked", "figured", "trousers", "shorts", "skirt_or_dress", "long", "short", "none", "open", "closed", "dark", "light", "coloured", "no", "yes", "*"];
  const words = list.split("|");
  return Object.freeze(Object.fromEntries(keys.map((key, at) => [key, words[at]])));
}

/** @param {string} list @returns {Readonly<Record<string, string>>} */
function attributes(list) {
  const keys = ["top.colour", "top.accent", "top.pattern", "bottom.colour", "bottom.accent", "bottom.pattern", "lower.kind", "sleeves", "outer", "one_piece", "feet.colour", "bag"];
  const words = list.split("|");
  return Object.freeze(Object.fromEntries(keys.map((key, at) => [key, words[at]])));
}

/** @type {Readonly<Record<string, Words>>} */
export const VOCABULARY = Object.freeze({
  en: {
    colon: ": ",
    attribute: attributes("Tops|Second colour, tops|Pattern, tops|Trousers and skirts|Second colour below|Pattern below|Below the waist|Sleeves|Jacket or coat|Same cloth above and below|Shoes|Bag"),
    word: named("black|grey|white|red|orange|brown|yellow|green|blue|purple|pink|beige|plain|patterned|striped|checked|printed|trousers|shorts|skirt or dress|long|short|none|open|closed|dark|light|coloured|no|yes|others"),
  },
  es: {
    colon: ": ",
    attribute: attributes("Parte de arriba|Segundo color arriba|Estampado arriba|Parte de abajo|Segundo color abajo|Estampado abajo|De cintura para abajo|Mangas|Chaqueta o abrigo|Misma tela arriba y abajo|Calzado|Bolso"),
    word: named("negro|gris|blanco|rojo|naranja|marrón|amarillo|verde|azul|morado|rosa|beis|liso|con dibujo|a rayas|a cuadros|estampado|pantalón largo|pantalón corto|falda o vestido|largas|cortas|sin|abierto|cerrado|oscuro|claro|de color|no|sí|otros"),
  },
  fr: {
    colon: "\u00a0: ",
    attribute: attributes("Hauts|Seconde couleur, haut|Motif du haut|Bas|Seconde couleur, bas|Motif du bas|Sous la taille|Manches|Veste ou manteau|Même tissu en haut et en bas|Chaussures|Sac"),
    word: named("noir|gris|blanc|rouge|orange|marron|jaune|vert|bleu|violet|rose|beige|uni|à motif|à rayures|à carreaux|imprimé|pantalon|short|jupe ou robe|longues|courtes|sans|ouvert|fermé|sombre|clair|coloré|non|oui|autres"),
  },
  zh: {
    colon: "：",
    attribute: attributes("上衣|上衣副色|上衣图案|下装|下装副色|下装图案|下装款式|袖子|外套|上下同料|鞋|包"),
    word: named("黑色|灰色|白色|红色|橙色|棕色|黄色|绿色|蓝色|紫色|粉色|米色|纯色|有图案|条纹|格子|印花|长裤|短裤|裙子|长袖|短袖|无|敞开|扣上|深色|浅色|彩色|无|有|其他"),
  },
});

/**
 * Every sentence of the page, one catalogue a language. Another language is another catalogue of the same form in
 * `CATALOGUES`; the hub's own sentences (reasons, answers) come in the hub's language.
 */

/** @param {number} count @param {string} one @param {string} many */
const plural = (count, one, many) => (count === 1 ? one : many);

/** @type {Readonly<Record<string, string>>} words of the vocabulary that need more than themselves */
const WORDS = Object.freeze({skirt_or_dress: "skirt or dress", figured: "printed"});
/** @type {Readonly<Record<string, string>>} levels that say nothing without what they are a level of */
const LEVELS = Object.freeze({
  "top.accent none": "no second colour", "bottom.accent none": "no second colour", "outer none": "no jacket or coat",
  "outer open": "jacket or coat open", "outer closed": "jacket or coat closed", "sleeves long": "long sleeves",
  "sleeves short": "short sleeves", "one_piece no": "different cloth above and below", "one_piece yes": "same cloth above and below",
  "feet.colour dark": "dark shoes", "feet.colour light": "light shoes", "feet.colour coloured": "coloured shoes",
  "bag no": "no bag", "bag yes": "a bag",
});
/** @param {string} word */
const say = (word) => WORDS[word] ?? word.replaceAll("_", " ");

const ENGLISH = Object.freeze({
  lang: "en",
  /** @param {string} booth */
  title: (booth) => `Leftfield · ${booth}`,
  booth: (/** @type {string} */ name) => `Booth ${name}`,
  skip: "Skip to the alerts",
  number: (/** @type {number} */ value) => value.toLocaleString("en"),
  percent: (/** @type {number} */ share) => `${Math.round(share * 100)}\u00a0%`,

  link: {
    connecting: "Connecting…",
    up: "Connected",
    waiting: "Not connected",
    refused: "Not signed in",
    taken_over: "Open elsewhere",
    stopped: "Not signed in",
    hub_away: "Hub is away",
  },

  banner: {
    offline: "Not connected to the booth — alerts cannot arrive",
    offlineMore: "Trying again by itself. Check that this tablet is on the booth’s Wi-Fi.",
    hubAway: "The hub has stopped — alerts cannot arrive",
    hubAwayMore: "The network is fine. Whoever looks after the booth should look at the hub.",
    hubSilent: (/** @type {number} */ seconds) => `The hub has said nothing for ${seconds} s`,
    camera: "A new camera waits",
    cameraMore: (/** @type {string} */ numbers) => `${numbers}: pair it by the code on its label.`,
    cameraLink: "Pair it",
    simulated: "Simulated street",
    simulatedMore: "Units marked “simulated” make their passers-by up. Nobody is there.",
    unboxed: "Unboxed",
    unboxedMore: (/** @type {string} */ places) => `${places}: running without walls around the camera. For developers only.`,
  },

  session: {
    missing: "This tablet is not signed in",
    missingMore: "Open the link or scan the code that the booth shows for this tablet. It holds the tablet’s name and password.",
    refused: (/** @type {string} */ tablet) => `The booth does not accept ${tablet}`,
    refusedMore: "Its password is wrong or no longer valid. Scan the booth’s code for this tablet again.",
    taken: (/** @type {string} */ tablet) => `${tablet} is open in another window`,
    takenMore: "A tablet can be open once. Carry on there, or take it over here.",
    here: "Use this window",
    again: "Try again",
    broken: "The page could not start",
    brokenMore: "The booth’s page server did not answer. Reload this page; if that does not help, restart the server.",
  },

  sound: {on: "Sound on", off: "Sound off", turnOn: "Turn sound on", turnOff: "Turn sound off"},
  wake: "This screen may go to sleep: keep it on in the tablet’s own settings.",

  alerts: {
    heading: "Alerts",
    count: (/** @type {number} */ count) => `${count} open ${plural(count, "alert", "alerts")}`,
    arrived: (/** @type {string} */ place, /** @type {string} */ reason) => `New alert, ${place}. ${reason}`,
    none: "Nobody to greet right now",
    noneMore: "When somebody walks by dressed unlike nearly everybody here, a card appears with the reason to tell them.",
    learning: "Learning what is usual here",
    learningMore: (/** @type {number} */ needs) =>
      `${needs.toLocaleString("en")} more ${plural(needs, "person needs", "people need")} to walk by before anybody can be called rare.`,
    unconnected: "Waiting for the booth",
    unconnectedMore: "What is open will appear here as soon as the connection is back.",
    typical: "The usual passer-by",
    typicalMore: "Drawn from what is worn most, one thing at a time.",
    noStock: "No gifts left",
    noStockMore: "There are no alerts until there is something to give.",
  },

  card: {
    oneIn: "1 in",
    mix: "Unusual mix",
    few: "Hardly ever",
    fewMore: "seen here",
    people: "people here, or fewer",
    seen: (/** @type {number} */ seconds) => `seen ${ago(seconds)}`,
    left: (/** @type {number} */ seconds) => `${clock(seconds)} left`,
    over: "Time is up",
    simulated: "Simulated",
    unboxed: "Unboxed",
    unheard: "Not heard whether boxed",
    usual: (/** @type {string} */ list) => `Usual here: ${list}`,
    lookFor: "Look for",
    drawing: (/** @type {string} */ look) => `Drawing: ${look}`,
    forgotten: "What was worn is already forgotten here.",
    nothingKnown: "nothing known for sure",
    claim: "Claim — I’ll go",
    yours: "Yours — step out and say why",
    theirs: (/** @type {string} */ tablet) => `${tablet} is on the way`,
    asking: "Asking the hub…",
    unconnected: "Not connected",
    forget: "Forget this person",
    forgetAsk: "Forget this person now, everywhere?",
    forgetYes: "Forget",
    forgetNo: "Keep",
    dismissAsk: "Why dismiss it?",
    back: "Back",
    name: (/** @type {string} */ id) => `Alert ${id}`,
  },

  outcome: {gifted: "Gift given", declined: "Declined", not_found: "Not found", dismissed: "Dismiss"},
  why: {not_a_person: "Not a person", wrong_reading: "Read wrongly", costume: "Costume or uniform", other: "Another reason"},
  ended: {
    gifted: "gift given", declined: "declined", not_found: "not found", dismissed: "dismissed", expired: "nobody went",
    forgotten: "forgotten",
  },

  answer: {
    none: "The hub did not answer. Try again.",
    undelivered: "Not sent: the hub cannot be reached.",
    forgetLater: "Forgotten on this tablet. The hub will be told as soon as it can be reached.",
  },

  panel: {
    today: "Today",
    people: "people seen",
    alerts: "alerts",
    gifted: "gifts given",
    stock: "gifts left",
    staff: (/** @type {number} */ free, /** @type {number} */ all) => `${free} of ${all} staff free`,
    usual: "Usual here now",
    units: "Cameras",
    lately: "Lately",
    nothing: "Nothing yet.",
    somewhere: "An alert",
    you: "you",
    baseline: "Baseline ready",
    promise: "No picture is kept, sent or shown. This page knows clothes, and forgets them within minutes.",
    ignored: (/** @type {number} */ count) => `${count} ${plural(count, "message", "messages")} could not be read and ${plural(count, "was", "were")} ignored.`,
  },

  unit: {
    link: {online: "online", offline: "offline"},
    state: {watching: "watching", paused: "paused", aiming: "being aimed", blind: "blind", silent: "silent", frozen: "picture frozen", too_dark: "too dark", too_bright: "too bright", colourless: "no colour", blurred: "blurred", moved: "moved"},
    source: {camera: "camera", recording: "recording", simulated: "simulated"},
    accelerator: {cpu: "CPU", edge_tpu: "Edge\u00a0TPU", cpu_fallback: "CPU, Edge TPU away"},
    simulated: "simulated",
    unboxed: "unboxed",
    unheard: "not heard yet",
    fps: (/** @type {number} */ fps) => `${Math.round(fps)}\u00a0fps`,
  },

  say,
  level: (/** @type {string} */ attribute, /** @type {string} */ word) => LEVELS[`${attribute} ${word}`] ?? say(word),
  ago: (/** @type {number} */ seconds) => ago(seconds),

  /** What to call each attribute in the list of what is usual. @type {Readonly<Record<string, string>>} */
  attribute: Object.freeze({
    "top.colour": "Tops", "top.accent": "Second colour, top", "top.pattern": "Top pattern", "bottom.colour": "Below",
    "bottom.accent": "Second colour, below", "bottom.pattern": "Pattern below", "lower.kind": "Worn below", sleeves: "Sleeves",
    outer: "Outer layer", one_piece: "One piece", "feet.colour": "Feet", bag: "Bag",
  }),

  /**
   * What somebody wears as short phrases, from the top down.
   * @param {Readonly<Record<string, string>>} look @returns {string[]}
   */
  describe(look) {
    const kind = {trousers: "trousers", shorts: "shorts", skirt_or_dress: "skirt or dress"}[look["lower.kind"]] ?? "below";
    const top = garment(look, "top", "top");
    const bottom = garment(look, "bottom", kind);
    return [
      top,
      look.sleeves && `${look.sleeves} sleeves`,
      look.outer === "open" && "open jacket or coat",
      look.outer === "closed" && "closed jacket or coat",
      bottom ?? (look["lower.kind"] && kind),
      look.one_piece === "yes" && "same cloth above and below",
      look["feet.colour"] && `${look["feet.colour"]} shoes`,
      look.bag === "yes" && "a bag",
    ].filter((phrase) => typeof phrase === "string");
  },
});

/** @param {Readonly<Record<string, string>>} look @param {string} part @param {string} noun */
function garment(look, part, noun) {
  const [colour, accent, pattern] = ["colour", "accent", "pattern"].map((aspect) => look[`${part}.${aspect}`]);
  const second = accent && accent !== "none" && accent !== colour ? accent : null;
  const shown = pattern && pattern !== "plain" ? say(pattern) : null;
  if (!colour && !second && !shown) return null;
  return [colour, shown, noun, second ? `with ${second}` : null].filter(Boolean).join(" ");
}

/** @param {number} seconds */
function ago(seconds) {
  if (seconds < 5) return "just now";
  return seconds < 90 ? `${Math.floor(seconds)} s ago` : `${Math.round(seconds / 60)} min ago`;
}

/** @param {number} seconds */
function clock(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** @typedef {typeof ENGLISH} Catalogue */

/** @type {Readonly<Record<string, Catalogue>>} */
export const CATALOGUES = Object.freeze({en: ENGLISH});

/** The catalogue of the first language the reader prefers and we have. @param {readonly string[]} languages @returns {Catalogue} */
export function catalogue(languages) {
  const known = languages.map((language) => language.toLowerCase().split("-")[0]).find((language) => Object.hasOwn(CATALOGUES, language));
  return CATALOGUES[known ?? "en"];
}

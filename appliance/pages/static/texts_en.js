/** Every sentence of the tablet page, in English. The other languages have the same form (`Sentences`). */

/** @param {number} count @param {string} one @param {string} many */
const plural = (count, one, many) => (count === 1 ? one : many);

/** @param {number} seconds */
function ago(seconds) {
  if (seconds < 5) return "just now";
  return seconds < 90 ? `${Math.floor(seconds)} s ago` : `${Math.round(seconds / 60)} min ago`;
}

export const SENTENCES = {
  /** @param {string} booth */
  title: (booth) => `Leftfield · ${booth}`,
  booth: (/** @type {string} */ name) => `Booth ${name}`,
  skip: "Skip to the alerts",
  language: "Language",
  comma: ", ",
  ago,

  link: {
    connecting: "Connecting…", up: "Connected", stalled: "Not connected", waiting: "Not connected", refused: "Not signed in",
    taken_over: "Open elsewhere", stopped: "Not signed in", hub_away: "Hub is away",
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
    paused: (/** @type {string} */ until) => `Alerts are paused until ${until}`,
    pausedMore: "Cameras go on counting. Nobody is called rare until then.",
    closed: "Closed for today — no more alerts",
    closedMore: "It opens by itself tomorrow, or below under “Shift”.",
  },

  /** What is wrong with the booth, by its name on the wire. @type {Readonly<Record<string, (place: string) => readonly [string, string]>>} */
  notices: {
    two_holders: (place) => [`${place}: two devices use this camera’s key`, "Its card was copied. Half of what both see is lost. Tell the lead: switch one off, revoke the unit, and enrol it anew."],
    hub_disk_low: () => ["The hub’s disk is nearly full", "Soon nothing more can be stored, and no alerts come. Tell the lead to free space."],
    unit_disk_low: (place) => [`${place}: the camera’s disk is nearly full`, "Without the hub it could soon keep nothing. Tell the lead to free space or change its card."],
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
    learningMore: (/** @type {number} */ needs) => `${needs.toLocaleString("en")} more ${plural(needs, "person needs", "people need")} to walk by before anybody can be called rare.`,
    unconnected: "Waiting for the booth",
    unconnectedMore: "What is open will appear here as soon as the connection is back.",
    typical: "The usual passer-by",
    typicalMore: "Drawn from what is worn most, one thing at a time.",
    noStock: "No gifts left",
    noStockMore: "There are no alerts until there is something to give.",
  },

  card: {
    newest: "Newest",
    oneIn: "1 in",
    mix: "Unusual mix",
    few: "Hardly ever",
    fewMore: "seen here",
    people: "people here, or fewer",
    seen: (/** @type {number} */ seconds) => `seen ${ago(seconds)}`,
    left: (/** @type {string} */ time) => `${time} left`,
    over: "Time is up",
    simulated: "Simulated",
    unboxed: "Unboxed",
    unheard: "Not heard whether boxed",
    usual: (/** @type {string} */ list) => `Usual here: ${list}`,
    noSecond: "no second colour",
    lookFor: "Look for",
    drawing: (/** @type {string} */ look) => `Drawing: ${look}`,
    forgotten: "What was worn is already forgotten here.",
    nothingKnown: "nothing known for sure",
    claim: "Claim — I’ll go",
    yours: "Yours — step out and say why",
    theirs: (/** @type {string} */ tablet) => `${tablet} is on the way`,
    asking: "Asking the hub…",
    unconnected: "Not connected",
    release: "Give it back",
    show: "Show them",
    undo: (/** @type {number} */ seconds) => `Undo (${seconds})`,
    sizeAsk: "Which size did you give?",
    size: (/** @type {string} */ size, /** @type {number} */ left) => `${size} · ${left} left`,
    sizeNone: "No size",
    forget: "Forget this person",
    forgetAsk: "Forget this person now, everywhere?",
    forgetYes: "Forget",
    forgetNo: "Keep",
    dismissAsk: "Why dismiss it?",
    back: "Back",
    name: (/** @type {string} */ id) => `Alert ${id}`,
  },

  /** What is shown or said to whoever is greeted. */
  passer: {
    title: "We have a gift for you",
    what: "A camera here reads clothes. It reads no faces, keeps no picture and does not know who you are.",
    claim: (/** @type {string} */ what, /** @type {string} */ number) => `At most 1 in ${number} people here wears this: ${what}.`,
    coarse: (/** @type {string} */ what) => `Hardly anybody here wears this: ${what}.`,
    whole: (/** @type {string} */ what) => `Nothing of it is rare by itself, but all together it is: ${what}.`,
    unknown: "What you wear was rare here. It has been forgotten already.",
    kept: (/** @type {number} */ minutes) => `What you wear is kept in words, for ${minutes} ${plural(minutes, "minute", "minutes")} at most. Then only counts remain.`,
    no: "You can say no. Say so, and it is forgotten at once.",
    forget: "No, forget me",
    close: "Close",
  },

  outcome: {gifted: "Gift given", declined: "Declined", not_found: "Not found", dismissed: "Dismiss"},
  why: {not_a_person: "Not a person", wrong_reading: "Read wrongly", costume: "Costume or uniform", other: "Another reason"},
  ended: {
    raised: "raised", claimed: "claimed", gifted: "gift given", declined: "declined", not_found: "not found", dismissed: "dismissed",
    expired: "time was up", forgotten: "forgotten",
  },

  answer: {
    claimed: "Yours. Say what happened, and that it can be forgotten.",
    released: "Given back. Anybody can take it now.",
    noted: "Noted. What was seen is gone; only the count remains.",
    forgotten: "Forgotten. Nothing of it is left here.",
    nothingLeft: "Forgotten. Nothing but rounded counts was left.",
    shift: "Done. Every tablet shows it.",
    taken: (/** @type {string} */ by) => `${by} has it already.`,
    over: "This alert is over.",
    unclaimed: "Nobody holds it: claim it first.",
    tooFast: "Too many taps. Wait a moment.",
    malformed: "The hub did not understand this page. Reload it.",
    forbidden: "Only the lead may do that.",
    none: "The hub did not answer in time. The card shows what it knows; if nothing changes, try again.",
    unknown: "The connection broke before the answer. The hub may have heard it: the card will show.",
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

  shift: {
    heading: "Shift",
    pause: "Pause alerts",
    minutes: (/** @type {number} */ minutes) => `${minutes}\u00a0min`,
    resume: "Go on now",
    staff: "Staff here",
    stock: "Gifts left",
    less: (/** @type {string} */ what) => `${what}: one less`,
    more: (/** @type {string} */ what) => `${what}: one more`,
    empty: "None left",
    close: "Close for today",
    closeAsk: "End all open alerts, and raise no more today?",
    closeYes: "Close",
    closeNo: "Stay open",
    open: "Open again",
    note: "Hand-over note",
    noteMore: "For the next shift. Nothing about passers-by. It goes when the hub restarts.",
    noteSave: "Leave it",
    signOut: "Sign this tablet out",
  },

  lead: {
    heading: "For the lead",
    well: "Nothing that needs you.",
    missing: (/** @type {string} */ place, /** @type {number} */ number) => `${place}: ${number} ${plural(number, "message", "messages")} never came.`,
    missingTodo: "Look at its network and its power; then restart it.",
    dropped: (/** @type {string} */ place, /** @type {number} */ number) => `${place}: ${number} ${plural(number, "message", "messages")} found no room.`,
    droppedTodo: "It was without the hub for too long. Look at the network between both.",
    clock: (/** @type {string} */ place) => `${place}: its clock is not set.`,
    clockTodo: "It takes the time from the hub: is the hub’s time service running?",
    refused: (/** @type {string} */ place, /** @type {number} */ number) => `${place}: ${number} ${plural(number, "message was", "messages were")} refused.`,
    stranger: "Somebody unknown",
    refusedTodo: {
      clock: "Its clock, or the hub’s, is wrong: look at both.",
      key: "Another device speaks in its place. Find out what is on this network; if need be revoke the unit.",
      flood: "It said more than people can pass. Find out what is connected to it.",
      other: "The hub’s journal names the rule: journalctl --unit leftfield-watch.",
    },
    change: (/** @type {string} */ what, /** @type {number} */ now, /** @type {number} */ usual) => `${what}: ${now}\u00a0% now, ${usual}\u00a0% usually.`,
    changeTodo: "Weather, an event, a uniform? If not, look at that light and those cameras.",
    log: "What was done",
    /** By the name on the wire. @type {Readonly<Record<string, string>>} */
    acts: {claim: "took an alert", release: "gave an alert back", gifted: "gave a gift", declined: "was declined", not_found: "found nobody", dismissed: "dismissed an alert", forget: "had somebody forgotten", pause: "paused alerts", resume: "went on", set: "set stock or staff", close: "closed the day", open: "opened again", pair: "paired a camera", enrol: "enrolled a camera", revoke: "revoked a camera", tablet: "let a tablet in", tablet_out: "put a tablet out", update: "updated", export: "exported what is usual", import: "imported what is usual", backup: "made a backup", restore: "restored a backup", renew: "renewed certificates", create: "made the booth", start: "started", stop: "stopped"},
    tablet: "Tablet", claims: "Claims", dismissals: "Dismissed", forgets: "Forgotten",
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
};

/** @typedef {typeof SENTENCES} Sentences */

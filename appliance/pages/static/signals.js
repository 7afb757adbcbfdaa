/** What makes staff look up: a chime, a buzz, and a screen that stays on. Each works where the browser lets it. */

const KEY = "leftfield.sound";

/** Two soft notes, an open fourth upwards, in hertz, with their start in seconds. */
const CHIME = Object.freeze([[659.26, 0], [880, 0.16]]);

export class Signals {
  /** @type {AudioContext | null} */ #audio = null;
  /** @type {WakeLockSentinel | null} */ #lock = null;

  /** Sound can be heard: somebody has tapped (browsers ask for that) and wants it. */
  get sounding() {
    return this.#audio?.state === "running";
  }

  /** The reader wanted sound the last time; the first tap brings it back. */
  get wanted() {
    return localStorage.getItem(KEY) === "on";
  }

  /** The screen can be kept on only on a secure page; false where the tablet's own settings must do it. */
  get canStayAwake() {
    return "wakeLock" in navigator;
  }

  /** Turn sound on or off; must be called from a tap. @param {boolean} on */
  async sound(on) {
    localStorage.setItem(KEY, on ? "on" : "off");
    this.#audio ??= new AudioContext();
    await (on ? this.#audio.resume() : this.#audio.suspend());
    if (on) this.#chime();
  }

  /** A new alert. */
  alert() {
    if (this.sounding) this.#chime();
    if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.([120, 80, 120]);
  }

  #chime() {
    const audio = this.#audio;
    if (!audio) return;
    for (const [hertz, after] of CHIME) {
      const start = audio.currentTime + after;
      const [tone, volume] = [audio.createOscillator(), audio.createGain()];
      tone.frequency.value = hertz;
      volume.gain.setValueAtTime(0, start);
      volume.gain.linearRampToValueAtTime(0.35, start + 0.015);
      volume.gain.exponentialRampToValueAtTime(0.001, start + 0.9);
      tone.connect(volume).connect(audio.destination);
      tone.start(start);
      tone.stop(start + 0.95);
    }
  }

  /** Keep the screen on while the page is seen; call again whenever it comes back into view. */
  async stayAwake() {
    if (!this.canStayAwake || document.visibilityState !== "visible" || (this.#lock && !this.#lock.released)) return;
    try {
      this.#lock = await navigator.wakeLock.request("screen");
    } catch (error) {
      if (!(error instanceof DOMException)) throw error; // a low battery may refuse it
    }
  }
}

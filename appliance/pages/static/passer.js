/**
 * The one card for the passer-by, to be shown or read aloud: what this is, how rare, what is kept, how to say no.
 *
 * Invariants: it speaks the passer-by's language, chosen on it; it says nothing that the alert does not; it goes when
 * the alert does.
 */
import {el} from "./dom.js";
import {LANGUAGES} from "./language.js";
import {texts} from "./texts.js";

/** @typedef {import("./messages.js").Alert} Alert */

export class PasserCard {
  /** @type {HTMLDialogElement | null} */ #dialog = null;
  /** Of which alert it tells; "" while it is not open. */
  alert = "";

  /** @param {Alert} alert @param {string} lang @param {number} retention seconds @param {() => void} forget */
  async show(alert, lang, retention, forget) {
    const t = await texts(lang);
    const dialog = this.#dialog ?? el("dialog", {class: "passer", closedby: "any"});
    const again = el("div", {class: "passer-languages"}, ...Object.entries(LANGUAGES).map(([code, name]) => el(
      "button", {type: "button", class: "button button-quiet", lang: code, "data-key": `passer-${code}`, "aria-pressed": String(code === lang), click: () => void this.show(alert, code, retention, forget)}, name,
    )));
    dialog.lang = lang;
    dialog.replaceChildren(again, ...this.#words(alert, t, retention), el(
      "div", {class: "row row-forget"},
      el("button", {type: "button", class: "button button-danger", "data-key": "passer-forget", click: () => (this.close(), forget())}, t.passer.forget),
      el("button", {type: "button", class: "button button-plain", "data-key": "passer-close", autofocus: true, click: () => this.close()}, t.passer.close),
    ));
    if (this.#dialog) return;
    dialog.setAttribute("aria-labelledby", "passer-title");
    dialog.addEventListener("close", () => this.close());
    document.body.append(dialog);
    [this.#dialog, this.alert] = [dialog, alert.id];
    dialog.showModal();
  }

  /** @param {Alert} alert @param {import("./texts.js").Catalogue} t @param {number} retention */
  #words({reasons, look}, t, retention) {
    const {passer} = t;
    const [reason] = reasons;
    const what = reason ? t.subject(reason, look) : "";
    const rare = !reason ? passer.unknown : reason.lens === "whole" ? passer.whole(what) : reason.oneIn === null ? passer.coarse(what) : passer.claim(what, t.number(reason.oneIn));
    return [
      el("h2", {id: "passer-title"}, passer.title),
      ...[passer.what, rare, passer.kept(Math.max(1, Math.round(retention / 60))), passer.no].map((text, at) => el("p", {class: at === 1 ? "passer-rare" : ""}, text)),
    ];
  }

  /** Take it away with all it says. */
  close() {
    const dialog = this.#dialog;
    [this.#dialog, this.alert] = [null, ""];
    dialog?.close();
    dialog?.remove();
  }
}

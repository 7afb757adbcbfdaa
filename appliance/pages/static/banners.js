/** What must be seen before anything else: lines across the page, in the order of how much they matter. */
import {SILENCE_MS} from "./booth.js";
import {el} from "./dom.js";

/** @typedef {readonly [style: string, title: string, more: string]} Line */

/** Whether what the hub says can arrive. @param {import("./booth.js").Booth} booth @param {import("./mqtt.js").LinkState} link @param {import("./texts.js").Catalogue} t @param {number} now milliseconds @returns {Line[]} */
function away(booth, link, {banner}, now) {
  const silent = now - booth.heardAt;
  if (link === "waiting" || link === "stalled" || (link === "connecting" && booth.heardAt)) return [["bad", banner.offline, banner.offlineMore]];
  if (link !== "up") return [];
  if (booth.hubOnline === false) return [["bad", banner.hubAway, banner.hubAwayMore]];
  return booth.heardAt && silent > SILENCE_MS ? [["bad", banner.hubSilent(Math.round(silent / 5000) * 5), banner.hubAwayMore]] : [];
}

/** @param {import("./booth.js").Booth} booth @param {import("./mqtt.js").LinkState} link @param {import("./texts.js").Catalogue} t @param {number} now milliseconds @returns {Line[]} */
export function lines(booth, link, t, now) {
  const {banner, notices} = t;
  const {board, cameras} = booth;
  const unboxed = (board?.units ?? []).filter(({boxed}) => boxed === false).map((unit) => unit.place || unit.unit);
  const shift = board?.shift;
  return [
    ...away(booth, link, t, now),
    ...(unboxed.length ? [/** @type {const} */ (["unboxed", banner.unboxed, banner.unboxedMore(unboxed.join(t.comma))])] : []),
    ...(board?.notices ?? []).map(({condition, place, title, todo}) => /** @type {const} */ (["bad", ...(Object.hasOwn(notices, condition) ? notices[condition](place) : /** @type {const} */ ([title, todo]))])),
    ...(shift?.closed ? [/** @type {const} */ (["paused", banner.closed, banner.closedMore])]
      : shift && shift.pausedUntil > booth.hubNow(now) ? [/** @type {const} */ (["paused", banner.paused(t.time(shift.pausedUntil)), banner.pausedMore])] : []),
    ...(cameras.length ? [/** @type {const} */ (["camera", banner.camera, banner.cameraMore(cameras.join(t.comma))])] : []),
    ...(board?.simulated ? [/** @type {const} */ (["simulated", banner.simulated, banner.simulatedMore])] : []),
  ];
}

/** @param {Line} line @param {import("./texts.js").Catalogue} t */
export const banner = ([style, title, more], t) => el(
  "div", {class: `banner banner-${style}`}, el("strong", {}, title), el("span", {}, more),
  style === "camera" && el("a", {class: "button button-plain", href: "/cameras"}, t.banner.cameraLink),
);

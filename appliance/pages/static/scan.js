/**
 * Reads a square code with this tablet's camera, where the browser can (Shape Detection API, BarcodeDetector).
 *
 * Invariant: the picture stays in this page; the camera is off again as soon as a code was read or nobody wants it.
 */
import {el} from "./dom.js";

const LOOK_MS = 200;
const GIVE_UP_MS = 60_000;

/** @typedef {{detect: (source: HTMLVideoElement) => Promise<{rawValue: string}[]>}} Detector */
/** @typedef {new (options: {formats: string[]}) => Detector} DetectorClass */

const detector = /** @type {{BarcodeDetector?: DetectorClass}} */ (/** @type {unknown} */ (globalThis)).BarcodeDetector;

/**
 * The first code that `wanted` accepts, or null where there is no camera, no right to it, or no code in a minute.
 * @param {HTMLElement} film where the picture is shown meanwhile @param {string} caption @param {(text: string) => boolean} wanted
 * @returns {Promise<string | null>}
 */
async function code(film, caption, wanted) {
  if (!detector) return null;
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({video: {facingMode: "environment"}});
  } catch (error) {
    if (error instanceof DOMException) return null;
    throw error;
  }
  const video = el("video", {class: "scan", autoplay: true, playsinline: true, muted: true});
  video.srcObject = stream;
  film.replaceChildren(el("p", {}, caption), video);
  try {
    const reads = new detector({formats: ["qr_code"]});
    for (const end = Date.now() + GIVE_UP_MS; Date.now() < end;) {
      const found = (await reads.detect(video).catch(() => [])).map(({rawValue}) => rawValue).find(wanted);
      if (found) return found;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    return null;
  } finally {
    for (const track of stream.getTracks()) track.stop();
    film.replaceChildren();
  }
}

export const scanned = Object.freeze({possible: Boolean(detector && navigator.mediaDevices), code});

// Zoom and pan while painting: Ctrl and the wheel, two fingers, the keys + - 0; Space or the middle button and drag.
let scale = 1, offset = [0, 0], parts = [1, 1], wide = 0, panFrom = null, isSpaceDown = false, isPointing = false;
const fingers = new Map(), isSideways = matchMedia('(max-height: 500px) and (min-aspect-ratio: 3/2)');

// The frame has the shape of the photograph, except that nobody can paint on a ribbon, nor on a small upright one.
function shapeFrame() {
  // A class, and no rule of the style: Gradio takes rules that depend on the window for those of its own box.
  document.body.classList.toggle('sideways', isSideways.matches && !stage.classList.contains('empty'));
  const own = shape[1] / shape[0], isPainting = stage.dataset.mode === 'paint', least = isSideways.matches ? 1.2 : 0.6;
  const aspect = isPainting ? Math.min(2.5, Math.max(least, own)) : own;
  frame.style.aspectRatio = aspect;
  frame.style.setProperty('--aspect', aspect);
  parts = [Math.min(1, aspect / own), Math.min(1, own / aspect)];
  [sheet.style.height, sheet.style.width] = parts.map((part) => 100 * part + '%');
  $('[data-zoom=fill]').hidden = aspect === own;
  wide = frame.clientWidth;
  // On a phone all but the tools stays in sight.
  document.documentElement.style.setProperty('--tools', $('.tools').offsetHeight + 'px');
  fit();
}

function place_sheet() {
  const box = frame.getBoundingClientRect(), size = [box.height, box.width];
  // In the middle, or where it is larger filling its frame: nobody can drag it out of sight.
  offset = [0, 1].map((k) => {
    const left = size[k] * (1 - parts[k] * scale);
    return left > 0 ? left / 2 : Math.min(0, Math.max(offset[k], left));
  });
  sheet.style.transform = `translate(${offset[1]}px, ${offset[0]}px) scale(${scale})`;
  stage.dataset.zoom = scale.toFixed(2);
}

function fit() {
  scale = 1;
  place_sheet();
}

// What lies at this point of the window stays there.
function zoom(factor, clientX, clientY) {
  const box = frame.getBoundingClientRect();
  const point = clientX === undefined ? [box.height / 2, box.width / 2] : [clientY - box.top, clientX - box.left];
  const next = Math.min(16 / Math.min(...parts), Math.max(1, scale * factor));
  offset = [0, 1].map((k) => point[k] - (point[k] - offset[k]) * next / scale);
  scale = next;
  place_sheet();
}

function isTyping(event) {
  return event.target.closest?.('input:not([type=range], [type=color], [type=radio], [type=checkbox]), textarea');
}

function pan(down, right) {
  offset = [offset[0] + down, offset[1] + right];
  place_sheet();
}

// True where a pointer moves the photograph instead of painting.
function startsPan(event) {
  fingers.set(event.pointerId, [event.clientX, event.clientY]);
  if (event.button === 1 || isSpaceDown) panFrom = [event.clientX, event.clientY];
  return panFrom !== null || (event.pointerType === 'touch' && fingers.size > 1);
}

function continuesPan(event) {
  if (panFrom) {
    pan(event.clientY - panFrom[1], event.clientX - panFrom[0]);
    panFrom = [event.clientX, event.clientY];
    return true;
  }
  if (fingers.size < 2 || !fingers.has(event.pointerId)) return false;
  const middle = () => [...fingers.values()].reduce((sum, f) => [sum[0] + f[0] / fingers.size, sum[1] + f[1] / fingers.size], [0, 0]);
  const spread = () => { const [a, b] = [...fingers.values()]; return Math.hypot(a[0] - b[0], a[1] - b[1]); };
  const before = middle(), wide = spread();
  fingers.set(event.pointerId, [event.clientX, event.clientY]);
  const after = middle();
  pan(after[1] - before[1], after[0] - before[0]);
  if (wide > 0) zoom(spread() / wide, ...after);
  return true;
}

function endPan(event) {
  fingers.delete(event.pointerId);
  panFrom = null;
}

// Ctrl and the wheel would zoom the whole page: only listeners that are
// not passive can forbid it. A mouse sends few large steps, a touchpad
// many small ones: with the exponential both come to the same.
pad.addEventListener('wheel', (event) => {
  if (stage.dataset.mode !== 'paint' || !(event.ctrlKey || scale > 1)) return;
  event.preventDefault();
  if (event.ctrlKey) zoom(Math.exp(-event.deltaY / 400), event.clientX, event.clientY);
  else pan(-event.deltaY, -event.deltaX);
}, {passive: false});
pad.addEventListener('keydown', (event) => {
  if (stage.dataset.mode !== 'paint' || event.ctrlKey) return;
  if (event.key === '+') zoom(1.5);
  else if (event.key === '-') zoom(1 / 1.5);
  else if (event.key === '0') fit();
  else return;
  event.preventDefault();
});
// A tool that was clicked has the focus still, and Space would press it: what counts is whether a pointer is on the photograph.
pad.addEventListener('pointermove', () => { isPointing = true; });
pad.addEventListener('pointerleave', () => { isPointing = false; });
addEventListener('keydown', (event) => {
  if (event.key === 'Tab') isPointing = false;
  if (event.key !== ' ' || stage.dataset.mode !== 'paint') return;
  if (event.target !== pad && (!isPointing || isTyping(event))) return;
  isSpaceDown = true;
  event.preventDefault();
}, true);
addEventListener('keyup', (event) => {
  if (event.key !== ' ' || !isSpaceDown) return;
  isSpaceDown = false;
  event.preventDefault();
}, true);
addEventListener('blur', () => { isSpaceDown = false; });
// On a phone the bar of addresses comes and goes with every scrolling: that must not undo the zoom.
addEventListener('resize', () => { if (frame.clientWidth !== wide) shapeFrame(); });
for (const button of element.querySelectorAll('[data-zoom]')) {
  const step = button.dataset.zoom;
  button.addEventListener('click', () => {
    if (step === 'fit') fit();
    else zoom(step === 'fill' ? 1 / Math.min(...parts) / scale : 1.5 ** step);
  });
}

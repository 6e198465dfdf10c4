// The tools on the photograph: brush, protect, erase, dropper; and the strokes so far.
const paint = $('.paint'), width = $('.width'), ring = $('.ring'), ink = $('.ink'), drawn = $('.drawn');
const pen = ink.getContext('2d');
let tool = 'brush', stroke = null, pointed = -1;

function setTool(name) {
  tool = stage.dataset.tool = name;
  for (const button of element.querySelectorAll('[data-tool]')) {
    button.setAttribute('aria-pressed', String(button.dataset.tool === name));
  }
  ring.hidden = true;
  showStrokes();
}

// The brush is as wide on the screen whatever the size of the photograph.
function radius() {
  return Number(width.value) / 2 * shape[1] / Math.max(1, sheet.getBoundingClientRect().width);
}

function trace(pen, path, isDots) {
  pen.beginPath();
  for (const [k, [row, col]] of path.entries()) {
    if (isDots || !k) pen.moveTo(col, row);
    // A canvas draws no line of length 0, not even its round ends: a dot needs some.
    pen.lineTo(col + 0.01, row);
  }
  pen.stroke();
}

function draw(path, color) {
  pen.strokeStyle = color || (tool === 'protect' ? 'rgb(255 255 255 / 0.6)' : paint.value);
  pen.lineWidth = 2 * radius();
  pen.lineCap = pen.lineJoin = 'round';
  // White that lets things through would grow thicker with every move.
  pen.clearRect(0, 0, tool === 'protect' ? ink.width : 0, ink.height);
  trace(pen, path);
}

// Wet paint is taken away once the server's picture has it.
function dry() {
  if (!stroke && !waiting && $('.color').complete) pen.clearRect(0, 0, ink.width, ink.height);
}

// The strokes so far, each with its colour and a line along its middle; those that protect are dashed.
function showStrokes() {
  const pen = drawn.getContext('2d'), line = shape[1] / Math.max(1, sheet.offsetWidth);
  const areAllShown = $('[data-show=strokes]').getAttribute('aria-pressed') === 'true' || tool === 'erase';
  pen.clearRect(0, 0, drawn.width, drawn.height);
  if (stage.dataset.mode !== 'paint') return;
  pen.lineCap = pen.lineJoin = 'round';
  for (const [number, item] of (stage.strokes || []).entries()) {
    if (!areAllShown && number !== pointed) continue;
    const dots = areDots(item);
    pen.setLineDash([]);
    pen.globalAlpha = number === pointed ? 0.8 : 0.4;
    pen.strokeStyle = item.protects ? '#ffffff' : item.color;
    pen.lineWidth = 2 * item.radius;
    trace(pen, item.path, dots);
    pen.globalAlpha = 1;
    for (const [color, wide] of [['#000000', 3.5], [item.protects ? '#ffffff' : item.color, 2]]) {
      pen.setLineDash(item.protects ? [6 * line, 5 * line] : []);
      pen.strokeStyle = color;
      pen.lineWidth = wide * line;
      trace(pen, item.path, dots);
    }
  }
}

// Whether the places of a stroke are not joined; what protects was painted as one line.
function areDots({kind, protects}) {
  return kind === 'point' || kind === 'pixels' && !protects;
}

// The topmost stroke at a place, or -1.
function strokeAt(spot) {
  // Four pixels of the screen more: thin strokes can be hit by a finger.
  const near = 4 * shape[1] / Math.max(1, sheet.getBoundingClientRect().width);
  const distance = (a, b) => {
    const along = [b[0] - a[0], b[1] - a[1]], length = along[0] ** 2 + along[1] ** 2;
    const t = length ? Math.min(1, Math.max(0, ((spot[0] - a[0]) * along[0] + (spot[1] - a[1]) * along[1]) / length)) : 0;
    return Math.hypot(spot[0] - a[0] - t * along[0], spot[1] - a[1] - t * along[1]);
  };
  return (stage.strokes || []).findLastIndex((item) => item.path.some(
    (to, k) => distance(k && !areDots(item) ? item.path[k - 1] : to, to) <= item.radius + near));
}

function erase(spot) {
  const item = stage.strokes?.[strokeAt(spot)];
  if (!item) say('There is no stroke here.');
  else send('erase', {number: item.number});
}

function pickColor(spot) {
  const canvas = document.createElement('canvas');
  // A mean of nine: single pixels of a JPEG are off.
  canvas.width = canvas.height = 3;
  const scale = $('.color').naturalWidth / shape[1];
  canvas.getContext('2d').drawImage($('.color'), scale * spot[1] - 1, scale * spot[0] - 1, 3, 3, 0, 0, 3, 3);
  const data = canvas.getContext('2d').getImageData(0, 0, 3, 3).data;
  const mean = [0, 1, 2].map((k) => {
    let sum = 0;
    for (let i = k; i < 36; i += 4) sum += data[i];
    return Math.round(sum / 9).toString(16).padStart(2, '0');
  });
  paint.value = '#' + mean.join('');
  setTool('brush');
  say('Picked this colour. Now paint with it.');
}

function sendStroke(path, color) {
  send('paint', {
    path: path.map(clamped), color: color || paint.value, radius: Math.round(10 * radius()) / 10,
    reach: $('.reach select').value, protects: tool === 'protect' && !color,
  });
}

function useTool(spot) {
  if (tool === 'dropper') pickColor(spot);
  else if (tool === 'erase') erase(spot);
  else { draw([spot]); sendStroke([spot]); }
}

function moveRing(event) {
  const isPainting = stage.dataset.mode === 'paint' && (tool === 'brush' || tool === 'protect');
  ring.hidden = !isPainting || event.pointerType === 'touch';
  const box = frame.getBoundingClientRect();
  ring.style.width = ring.style.height = width.value + 'px';
  ring.style.left = event.clientX - box.left + 'px';
  ring.style.top = event.clientY - box.top + 'px';
}

pad.addEventListener('pointerdown', (event) => {
  if (event.button > 1) return;
  event.preventDefault();
  pad.focus({preventScroll: true});
  cross.hidden = true;
  const paints = stage.dataset.mode === 'paint' && (tool === 'brush' || tool === 'protect');
  if (stage.dataset.mode === 'paint') {
    // A stroke that leaves the photograph goes on, and its end is heard.
    pad.setPointerCapture(event.pointerId);
    if (startsPan(event)) {
      stroke = null;
      dry();
      return;
    }
  }
  if (event.button) return;
  if (paints) {
    stroke = [at(event)];
    draw(stroke);
  } else {
    use(at(event));
  }
});
pad.addEventListener('pointermove', (event) => {
  moveRing(event);
  if (continuesPan(event)) return;
  if (tool === 'erase' && stage.dataset.mode === 'paint') point(strokeAt(at(event)));
  if (!stroke) return;
  // Browsers join the moves of one frame: a quick stroke would have corners. Not all can part them.
  for (const point of event.getCoalescedEvents ? event.getCoalescedEvents() : [event]) {
    const spot = at(point), last = stroke[stroke.length - 1];
    // Nearer places say nothing more, and all of them are sent; what is zoomed in may be finer.
    if (Math.hypot(spot[0] - last[0], spot[1] - last[1]) > 2 / scale) stroke.push(spot);
  }
  draw(stroke);
});
pad.addEventListener('pointerup', (event) => {
  if (stroke && stage.dataset.mode === 'paint') sendStroke(stroke);
  stroke = null;
  endPan(event);
});
pad.addEventListener('pointercancel', (event) => { stroke = null; dry(); endPan(event); });
pad.addEventListener('pointerleave', () => { ring.hidden = true; });

function point(number) {
  if (number === pointed) return;
  pointed = number;
  showStrokes();
}

for (const button of element.querySelectorAll('[data-tool]')) {
  button.addEventListener('click', () => setTool(button.dataset.tool));
}
for (const name of ['takeback', 'again', 'wipe']) {
  $(`[data-do=${name}]`).addEventListener('click', () => send(name));
}
$('[data-show=strokes]').addEventListener('click', ({currentTarget}) => {
  currentTarget.setAttribute('aria-pressed', String(currentTarget.getAttribute('aria-pressed') !== 'true'));
  showStrokes();
});
document.addEventListener('keydown', (event) => {
  // In a field for text Ctrl-Z belongs to the text.
  if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== 'z' || isTyping(event) || !frame.offsetParent) return;
  const button = $(event.shiftKey ? '[data-do=again]' : '[data-do=takeback]');
  event.preventDefault();
  if (!button.disabled) button.click();
});
document.addEventListener('colorize-hint', (event) => {
  const {row, col, color} = event.detail;
  paint.value = color;
  draw([[row, col]], color);
  sendStroke([[row, col]], color);
});
document.addEventListener('colorize-point', (event) => point(event.detail));
$('.reach select').value = props.reach;
setTool('brush');
setMode('view');
setSplit();
watch('value', show);
watch('places', showPins);
watch('sure', showSure);
show();
showSure();

// The photograph on the page: slide between gray and colour, paint on it, ask about a place.
// Runs once, inside the component: `element` is its root, `props.value` what the server says, `trigger` tells the server.
const $ = (selector) => element.querySelector(selector);
const stage = $('.stage'), frame = $('.frame'), ink = $('.ink'), pad = $('.pad'), cross = $('.cross');
const split = $('.split'), caption = $('.caption'), paint = $('.paint'), width = $('.width'), pins = $('.pins');
const pen = ink.getContext('2d');
let shape = [1, 1], stroke = null, place = [0.5, 0.5], tool = 'brush', waiting = 0;

const words = {
  view: 'Slide the handle, or use the arrow keys, to compare with the gray photograph.',
  paint: 'Paint what you know. With the keyboard: arrow keys move, Enter paints a dot.',
  ask: 'Click a place to see why it got its colour. With the keyboard: arrow keys move, Enter asks.',
};

function setMode(mode) {
  stage.dataset.mode = mode;
  pad.hidden = mode === 'view';
  pad.tabIndex = mode === 'view' ? -1 : 0;
  pad.setAttribute('aria-label', words[mode]);
  split.hidden = mode !== 'view';
  cross.hidden = true;
  say();
}

function say(text) {
  const value = props.value;
  if (!value) return;
  const parts = [text || words[stage.dataset.mode]];
  parts.unshift(waiting ? 'Working ...' : value.name + ', ' + value.full + '.');
  for (const note of value.notes || []) parts.push('Note: ' + note + '.');
  caption.textContent = parts.join(' ');
}

function setSplit() {
  frame.style.setProperty('--split', split.value + '%');
}

function show() {
  const value = props.value;
  if (!value) return;
  const color = $('.color'), gray = $('.gray');
  if (stage.classList.contains('empty')) {
    stage.classList.remove('empty');
    document.querySelector('#samples details')?.removeAttribute('open');
  }
  if (shape[0] !== value.height || shape[1] !== value.width || value.gray) {
    shape = [value.height, value.width];
    frame.style.aspectRatio = value.width + ' / ' + value.height;
    frame.style.setProperty('--aspect', value.width / value.height);
    ink.width = value.width;
    ink.height = value.height;
  }
  if (value.gray) {
    gray.src = value.gray;
    gray.alt = value.name + ', gray';
  }
  if (color.src !== value.color) {
    color.onload = () => {
      stage.dataset.version = Number(stage.dataset.version || 0) + 1;
      dry();
    };
    color.src = value.color;
    color.alt = value.name + ', colorized';
  }
  $('[data-do=takeback]').disabled = $('[data-do=wipe]').disabled = !value.n_marks;
  say();
}

// Wet paint is taken away once the server's picture has it.
function dry() {
  if (!stroke && !waiting && $('.color').complete) pen.clearRect(0, 0, ink.width, ink.height);
}

function answered() {
  waiting = Math.max(0, waiting - 1);
  stage.classList.toggle('busy', waiting > 0);
  dry();
  say();
}

function showSure() {
  const sure = $('.sure');
  sure.hidden = $('.legend').hidden = !props.sure;
  if (!props.sure) return;
  sure.src = props.sure;
  sure.alt = 'how sure the model is of the colours, from orange, a guess, to blue, quite sure';
}

function showPins() {
  pins.replaceChildren(...(props.places || []).map((item, number) => {
    const pin = document.createElement('span');
    pin.className = 'pin';
    pin.textContent = number + 1;
    pin.style.left = 100 * item.col / shape[1] + '%';
    pin.style.top = 100 * item.row / shape[0] + '%';
    return pin;
  }));
}

function send(event, data) {
  waiting += 1;
  stage.classList.add('busy');
  say();
  trigger(event, data);
}

function at(event) {
  const box = frame.getBoundingClientRect();
  return [(event.clientY - box.top) / box.height * shape[0] - 0.5, (event.clientX - box.left) / box.width * shape[1] - 0.5];
}

function clamped(spot) {
  return [0, 1].map((k) => Math.round(10 * Math.min(Math.max(spot[k], 0), shape[k] - 1)) / 10);
}

// The brush is as wide on the screen whatever the size of the photograph.
function radius() {
  return Number(width.value) / 2 * shape[1] / Math.max(1, frame.getBoundingClientRect().width);
}

function draw(path) {
  pen.strokeStyle = pen.fillStyle = paint.value;
  pen.lineWidth = 2 * radius();
  pen.lineCap = pen.lineJoin = 'round';
  pen.beginPath();
  pen.moveTo(path[0][1], path[0][0]);
  for (const [row, col] of path) pen.lineTo(col + 0.01, row);
  pen.stroke();
}

function pickColor(spot) {
  const canvas = document.createElement('canvas');
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

function setTool(name) {
  tool = name;
  for (const button of element.querySelectorAll('[data-tool]')) {
    button.setAttribute('aria-pressed', String(button.dataset.tool === name));
  }
  stage.dataset.tool = name;
}

function sendStroke(path, color) {
  send('paint', {
    path: path.map(clamped), color: color || paint.value, radius: Math.round(10 * radius()) / 10,
    reach: $('.reach select').value,
  });
}

function mark(share) {
  place = share;
  cross.hidden = false;
  cross.style.top = 100 * share[0] + '%';
  cross.style.left = 100 * share[1] + '%';
}

function use(spot) {
  if (stage.dataset.mode === 'ask') {
    mark([0, 1].map((k) => (spot[k] + 0.5) / shape[k]));
    trigger('ask', {row: spot[0], col: spot[1]});
  }
  else if (tool === 'dropper') pickColor(spot);
  else { draw([spot]); sendStroke([spot]); }
}

pad.addEventListener('pointerdown', (event) => {
  if (event.button) return;
  event.preventDefault();
  pad.focus({preventScroll: true});
  cross.hidden = true;
  if (stage.dataset.mode === 'paint' && tool === 'brush') {
    pad.setPointerCapture(event.pointerId);
    stroke = [at(event)];
    draw(stroke);
  } else {
    use(at(event));
  }
});
pad.addEventListener('pointermove', (event) => {
  if (!stroke) return;
  for (const point of event.getCoalescedEvents ? event.getCoalescedEvents() : [event]) {
    const spot = at(point), last = stroke[stroke.length - 1];
    if (Math.hypot(spot[0] - last[0], spot[1] - last[1]) > 2) stroke.push(spot);
  }
  draw(stroke);
});
pad.addEventListener('pointerup', () => {
  if (stroke) sendStroke(stroke);
  stroke = null;
});
pad.addEventListener('pointercancel', () => { stroke = null; });
pad.addEventListener('keydown', (event) => {
  const steps = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]};
  if (steps[event.key]) {
    const far = event.shiftKey ? 0.1 : 0.02;
    mark([0, 1].map((k) => Math.min(Math.max(place[k] + far * steps[event.key][k], 0), 0.999)));
  } else if (event.key === 'Enter' || event.key === ' ') {
    use([place[0] * shape[0], place[1] * shape[1]]);
  } else {
    return;
  }
  event.preventDefault();
});
split.addEventListener('input', setSplit);
for (const button of element.querySelectorAll('[data-tool]')) {
  button.addEventListener('click', () => setTool(button.dataset.tool));
}
$('[data-do=takeback]').addEventListener('click', () => send('takeback'));
$('[data-do=wipe]').addEventListener('click', () => send('wipe'));
document.addEventListener('colorize-mode', (event) => setMode(event.detail));
document.addEventListener('colorize-hint', (event) => {
  const {row, col, color} = event.detail;
  paint.value = color;
  draw([[row, col]]);
  sendStroke([[row, col]], color);
});
setTool('brush');
setMode('view');
setSplit();
document.addEventListener('colorize-answered', answered);
watch('value', show);
watch('places', showPins);
watch('sure', showSure);
show();

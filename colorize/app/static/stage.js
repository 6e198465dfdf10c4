// The photograph on the page: slide between gray and colour, paint on it, ask about a place.
// Runs once, inside the component, in one scope with zoom.js and brush.js: `element` is its root, `props.value` what the
// server says, `trigger` tells the server.
const $ = (selector) => element.querySelector(selector);
const stage = $('.stage'), frame = $('.frame'), sheet = $('.sheet'), pad = $('.pad'), cross = $('.cross');
const split = $('.split'), caption = $('.caption'), pins = $('.pins');
let shape = [1, 1], place = [0.5, 0.5], waiting = 0, isAsking = false, asksNext = null;

const words = matchMedia('(pointer: coarse)').matches ? {
  view: 'Slide the handle to compare with the gray photograph.',
  paint: 'Paint what you know. Two fingers zoom and move.',
  ask: 'Touch a place to see why it got its colour.',
} : {
  view: 'Slide the handle, or use the arrow keys, to compare with the gray photograph.',
  paint: 'Paint what you know. Ctrl and the wheel zoom, Space and drag move. With the keyboard: arrow keys, Enter paints a dot.',
  ask: 'Click a place to see why it got its colour. With the keyboard: arrow keys move, Enter asks.',
};

function setMode(mode) {
  stage.dataset.mode = mode;
  pad.hidden = mode === 'view';
  pad.tabIndex = mode === 'view' ? -1 : 0;
  pad.setAttribute('aria-label', words[mode]);
  split.hidden = mode !== 'view';
  cross.hidden = true;
  shapeFrame();
  showStrokes();
  say();
}

function say(text) {
  const value = props.value;
  if (!value) return;
  // Over the map of doubts there is no handle.
  const parts = [text || (props.sure && stage.dataset.mode === 'view' ? '' : words[stage.dataset.mode])];
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
    document.body.classList.add('working');
    document.querySelector('#samples details')?.removeAttribute('open');
  }
  if (shape[0] !== value.height || shape[1] !== value.width || value.gray) {
    shape = [value.height, value.width];
    for (const canvas of element.querySelectorAll('canvas')) {
      canvas.width = value.width;
      canvas.height = value.height;
    }
    shapeFrame();
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
    // What was saved and can be fetched below is of the picture before.
    if (document.querySelector('#ready, #hints-ready')) trigger('altered');
    color.src = value.color;
    color.alt = value.name + ', colorized';
  }
  showChanges();
  $('[data-do=wipe]').disabled = !value.strokes.length;
  stage.dataset.marks = value.strokes.length;
  stage.strokes = value.strokes;
  document.dispatchEvent(new CustomEvent('colorize-strokes'));
  showStrokes();
  say();
}

function showChanges() {
  for (const [name, can] of [['takeback', props.value.can_undo], ['again', props.value.can_redo]]) {
    const button = $(`[data-do=${name}]`);
    // While more answers are awaited this one does not know what there will be to take back.
    button.disabled = !can && (waiting < 2 || button.disabled);
  }
}

function answered() {
  waiting = Math.max(0, waiting - 1);
  // The last answer may have been shown while others were still counted as awaited.
  if (!waiting && props.value) showChanges();
  stage.classList.toggle('busy', waiting > 0);
  dry();
  say();
}

function showSure() {
  const sure = $('.sure');
  sure.hidden = $('.legend').hidden = !props.sure;
  say();
  if (!props.sure) return;
  sure.src = props.sure;
  sure.alt = 'how sure the model is of the colours, from orange, a guess, to blue, quite sure';
}

function showPins() {
  pins.replaceChildren(...(props.places || []).map((item, number) => {
    const pin = document.createElement('span');
    pin.className = 'pin';
    pin.textContent = number + 1;
    // Half of it and its rim from the edge, which would cut it.
    pin.style.left = `clamp(0.95rem, ${100 * item.col / shape[1]}%, 100% - 0.95rem)`;
    pin.style.top = `clamp(0.95rem, ${100 * item.row / shape[0]}%, 100% - 0.95rem)`;
    return pin;
  }));
}

function asked() {
  waiting += 1;
  stage.classList.add('busy');
  say();
}

function send(event, data) {
  // Who takes a stroke back at once does not wait for the answer to it.
  if (event === 'takeback') $('[data-do=again]').disabled = false;
  else if (event !== 'ask') $('[data-do=takeback]').disabled = false;
  asked();
  trigger(event, data);
}

function at(event) {
  const box = sheet.getBoundingClientRect();
  // The middle of a pixel is its place, as in the library.
  return [(event.clientY - box.top) / box.height * shape[0] - 0.5, (event.clientX - box.left) / box.width * shape[1] - 0.5];
}

function clamped(spot) {
  return [0, 1].map((k) => Math.round(10 * Math.min(Math.max(spot[k], 0), shape[k] - 1)) / 10);
}

function mark(share) {
  place = share;
  cross.hidden = false;
  cross.style.top = 100 * share[0] + '%';
  cross.style.left = 100 * share[1] + '%';
}

// One place after the other, and of many that are clicked in haste the last: the answer is that of the cross.
function ask(spot) {
  if (isAsking) {
    asksNext = spot;
    return;
  }
  isAsking = true;
  send('ask', {row: spot[0], col: spot[1]});
}

function explained() {
  const spot = asksNext;
  isAsking = false;
  asksNext = null;
  answered();
  if (spot) ask(spot);
}

function use(spot) {
  if (stage.dataset.mode === 'ask') {
    mark([0, 1].map((k) => (spot[k] + 0.5) / shape[k]));
    ask(spot);
  } else {
    useTool(spot);
  }
}

pad.addEventListener('keydown', (event) => {
  const steps = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]};
  if (steps[event.key]) {
    const far = event.shiftKey ? 0.1 : 0.02;
    mark([0, 1].map((k) => Math.min(Math.max(place[k] + far * steps[event.key][k], 0), 0.999)));
  } else if (event.key === 'Enter') {
    use([place[0] * shape[0], place[1] * shape[1]]);
  } else {
    return;
  }
  event.preventDefault();
});
split.addEventListener('input', setSplit);
document.addEventListener('colorize-mode', (event) => setMode(event.detail));
document.addEventListener('colorize-asked', asked);
document.addEventListener('colorize-answered', answered);
document.addEventListener('colorize-explained', explained);

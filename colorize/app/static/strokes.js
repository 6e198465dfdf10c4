// The list of strokes: each can be given another colour or reach, or be taken away.
const reaches = {here: 'this thing only', similar: 'similar things', photo: 'the whole photograph', pixels: 'these pixels alone'};

function made(tag, properties, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

// The stage, which counts what was asked, hears of it too. A stroke keeps its number when others go, its place it does not.
function send(event, item, changes) {
  document.dispatchEvent(new CustomEvent('colorize-asked'));
  trigger(event, {number: item.number, ...changes});
}

function row(item, place) {
  const name = 'stroke ' + (place + 1);
  const tell = (changes) => send('edit', item, changes);
  const parts = [];
  if (item.protects) {
    parts.push(made('span', {className: 'what', textContent: 'stays as it is'}));
  } else if (item.kind === 'pixels') {
    parts.push(made('span', {className: 'what', textContent: 'a painted layer'}));
  } else {
    const color = made('input', {type: 'color', value: item.color, ariaLabel: 'colour of ' + name});
    color.addEventListener('change', () => tell({color: color.value}));
    parts.push(color);
  }
  if (!item.protects) {
    const reach = made('select', {ariaLabel: 'how far ' + name + ' spreads'});
    reach.append(...Object.entries(reaches).map(([value, text]) => made('option', {value, textContent: text})));
    reach.value = item.reach;
    reach.addEventListener('change', () => tell({reach: reach.value}));
    parts.push(reach);
  }
  const erase = made('button', {type: 'button', className: 'plain', textContent: 'Erase', ariaLabel: 'erase ' + name});
  erase.addEventListener('click', () => send('erase', item));
  const line = made('li', {}, made('b', {textContent: place + 1}), ...parts, erase);
  const point = (which) => document.dispatchEvent(new CustomEvent('colorize-point', {detail: which}));
  for (const event of ['pointerenter', 'focusin']) line.addEventListener(event, () => point(place));
  for (const event of ['pointerleave', 'focusout']) line.addEventListener(event, () => point(-1));
  return line;
}

const controls = (line) => [...line.querySelectorAll('input, select, button')];
let listed = '';

// Answers that change no stroke leave the list alone, and those that do leave the focus in its place: otherwise it, or the
// colours that somebody has just opened, would be gone.
function list() {
  const strokes = document.querySelector('.stage')?.strokes || [];
  const now = JSON.stringify(strokes.map(({path, ...rest}) => rest));
  if (now === listed) return;
  listed = now;
  const lines = element.querySelector('ol'), focus = document.activeElement;
  const place = [...lines.children].findIndex((line) => line.contains(focus));
  // From the end: what protects has fewer of them.
  const part = place < 0 ? 0 : controls(lines.children[place]).reverse().indexOf(focus) + 1;
  lines.replaceChildren(...strokes.map(row));
  if (part && strokes.length) controls(lines.children[Math.min(place, strokes.length - 1)]).at(-part)?.focus();
}

document.addEventListener('colorize-strokes', list);
list();

// The page as a whole: it comes back after a reload, warns before work is lost, catches files dropped beside the zones,
// and fetches what was made. `props.value` is the token of the visit.
const KEY = 'colorize-visit';
const marks = () => Number(document.querySelector('.stage')?.dataset.marks || 0);
// These buttons are on the page, whatever room is open, as long as there is something to stop.
const isAtWork = () => Boolean(document.querySelector('#stop-training, #stop-batch'));
// A photograph, a training or a batch, done or not: what is missed if it does not come back.
const isInUse = () => Boolean(document.querySelector('body.working, #training .card, #zip-ready'));

// Two windows never have one visit: the token lies in the storage only while no page holds it. Of a window that is closed
// its own storage goes with it: work that goes on is found by the next one.
addEventListener('pagehide', () => {
  if (isAtWork()) localStorage.setItem(KEY, props.value);
  else if (isInUse()) sessionStorage.setItem(KEY, props.value);
});
addEventListener('beforeunload', (event) => { if (marks()) event.preventDefault(); });

function mayLose() {
  const n = marks();
  return !n || confirm(`Open another photograph? Your ${n} stroke${n > 1 ? 's' : ''} on this one will be lost; `
    + '“Keep these hints” saves them.');
}

function stop(event) {
  event.preventDefault();
  event.stopImmediatePropagation();
}

// Listens before the page's own parts do.
function guard(name, isMeant, allows) {
  document.addEventListener(name, (event) => {
    if (!isMeant(event) || allows(event)) return;
    stop(event);
    if (event.target.type === 'file') event.target.value = '';
  }, true);
}
guard('change', (event) => event.target.matches('#upload input[type=file]'), mayLose);
guard('click', (event) => event.target.closest('#samples [data-pick]'), mayLose);
guard('click', (event) => event.target.closest('#delete-model'),
  () => confirm('Delete this model for good?'));

// Gradio takes every key in a list for a letter to be looked for: after Tab the list stayed open over what comes below it.
document.addEventListener('keydown', (event) => {
  if (event.key === 'Tab' && event.target.matches('input[role=combobox]')) event.stopImmediatePropagation();
}, true);

// A complaint stays until something else is tried, by a button, a file or a stroke: after a time Gradio would take away
// what has come in below it too, unread.
function closeComplaints({target}) {
  if (target.closest('[data-testid=toast-body]') || !target.closest('button, input[type=file], .pad')) return;
  for (const button of document.querySelectorAll('.toast-close.warning')) button.click();
}
document.addEventListener('click', closeComplaints, true);
document.addEventListener('change', closeComplaints, true);

// A file dropped anywhere goes to the zone below it, or to the one of the room; the browser never opens it. A zone that is
// busy with the file before has no input, or is about to lose it: the next one waits.
const hasFiles = (event) => event.dataTransfer && [...event.dataTransfer.types].includes('Files');
document.addEventListener('dragover', (event) => { if (hasFiles(event)) event.preventDefault(); }, true);
document.addEventListener('drop', (event) => {
  if (!hasFiles(event)) return;
  stop(event);
  const isShown = (zone) => zone.checkVisibility();
  const zone = event.target.closest('.zone') || [...document.querySelectorAll('.main-zone')].find(isShown);
  const files = [...event.dataTransfer.files];
  event.target.dispatchEvent(new DragEvent('dragleave', {bubbles: true}));
  if (zone && files.length) give(zone, files, 100);
}, true);

document.addEventListener('change', ({target}) => {
  const zone = target.type === 'file' && target.closest('.emptied');
  if (zone) zone.dataset.busy = 'yes';
});

// Ten seconds of tries: uploads of the file before may take as long.
function give(zone, files, tries) {
  const input = zone.querySelector('input[type=file]');
  if (tries && (!input || zone.dataset.busy)) {
    setTimeout(() => give(zone, files, tries - 1), 100);
    return;
  }
  if (!input) return;
  const taken = new DataTransfer();
  for (const file of input.multiple ? files : files.slice(0, 1)) taken.items.add(file);
  input.files = taken.files;
  input.dispatchEvent(new Event('change', {bubbles: true}));
}

document.addEventListener('colorize-download', (event) => {
  const file = event.detail;
  if (!file?.url) return;
  // Browsers save what a link with `download` leads
  // to; at its bare address they would show a picture.
  const link = document.createElement('a');
  link.href = file.url;
  link.download = file.orig_name || file.path.split('/').pop();
  document.body.append(link);
  link.click();
  link.remove();
});

// What is heard and not seen. Nobody wants to hear a bar each second: told are its beginning, every quarter and the end. And
// Gradio's own names do not tell one zone, file or slider from another; it has bars of its own, without a name.
const teller = Object.assign(document.createElement('p'), {className: 'unseen', role: 'status'});
document.body.append(teller);
let told = [];

function tell() {
  const bars = [...document.querySelectorAll('progress[aria-label]')];
  const quarters = bars.map((bar) => Math.floor(4 * bar.value));
  const k = quarters.findIndex((quarter, k) => quarter !== told[k]);
  if (quarters.length < told.length) teller.textContent = 'The work has ended.';
  else if (k >= 0) teller.textContent = k in told ? `${25 * quarters[k]} %` : bars[k].ariaLabel;
  told = quarters;
}

const NAMES = {
  '.zone .upload-container': 'Choose or drop: ', '.label-clear-button': 'Remove ', '.download-link': 'Download ', '.reset-button': 'Reset ',
};

function name() {
  for (const [selector, words] of Object.entries(NAMES)) {
    for (const part of document.querySelectorAll(selector)) {
      const named = part.closest('.file, .block')?.querySelector('.filename, [data-testid^=block-]');
      if (named) part.ariaLabel = words + (named.ariaLabel ?? named.textContent.trim());
    }
  }
}

new MutationObserver(() => { tell(); name(); })
  .observe(document.body, {childList: true, subtree: true, attributes: true, attributeFilter: ['value']});

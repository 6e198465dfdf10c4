// The page as a whole: it comes back after a reload, warns before work is lost, catches files dropped beside the zones,
// and fetches what was made. `props.value` is the token of the visit.
const KEY = 'colorize-visit';
const marks = () => Number(document.querySelector('.stage')?.dataset.marks || 0);
const isTraining = () => Boolean(document.querySelector('#stop-training')?.checkVisibility());

// Two windows never have one visit: the token lies in the storage only while no page holds it.
addEventListener('pagehide', () => { if (props.value) sessionStorage.setItem(KEY, props.value); });
addEventListener('beforeunload', (event) => { if (marks() || isTraining()) event.preventDefault(); });

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

// A file dropped anywhere goes to the zone of the room; the browser never opens it.
const hasFiles = (event) => event.dataTransfer && [...event.dataTransfer.types].includes('Files');
document.addEventListener('dragover', (event) => { if (hasFiles(event)) event.preventDefault(); });
document.addEventListener('drop', (event) => {
  if (!hasFiles(event)) return;
  const zone = event.target.closest('button[data-testid=file-upload], .upload-container, [aria-dropeffect]');
  if (zone?.closest('#upload') || !zone) {
    stop(event);
    const input = [...document.querySelectorAll('.main-zone input[type=file]')].find((item) => item.closest('.main-zone').checkVisibility());
    if (!input) return;
    const files = new DataTransfer();
    for (const file of [...event.dataTransfer.files].slice(0, input.multiple ? undefined : 1)) files.items.add(file);
    input.files = files.files;
    input.dispatchEvent(new Event('change', {bubbles: true}));
  }
}, true);

document.addEventListener('colorize-download', (event) => {
  const file = event.detail;
  if (!file?.url) return;
  const link = document.createElement('a');
  link.href = file.url;
  link.download = file.orig_name || file.path.split('/').pop();
  document.body.append(link);
  link.click();
  link.remove();
});

// Puts what the shop is like now in the place of what it was like before, every few seconds.
const EVERY_MS = 5000;
const GIVEN_UP_MS = 12000;

const live = document.querySelector('#live');
const stale = document.querySelector('#stale');
const pause = document.querySelector('#pause');
const said = document.createElement('p');
let isPaused = false;

// What changes in the first line is read out; the numbers are not.
said.className = 'unseen';
said.setAttribute('role', 'status');
live.before(said);

const headline = () => live.querySelector('.headline')?.textContent ?? '';

async function look() {
  const response = await fetch('/console/live', {
    cache: 'no-store',
    signal: AbortSignal.timeout(GIVEN_UP_MS),
  });
  if (!response.ok) throw new Error(`${response.status}`);
  return new DOMParser().parseFromString(await response.text(), 'text/html');
}

function show(fresh) {
  const before = headline();
  for (const section of fresh.querySelectorAll('#live > section')) {
    const shown = document.getElementById(section.id);
    if (shown && shown.outerHTML !== section.outerHTML) shown.replaceWith(section);
  }
  document.title = fresh.title;
  if (headline() !== before) said.textContent = headline();
}

async function again() {
  if (!isPaused && !document.hidden) {
    try {
      const fresh = await look();
      if (!isPaused) show(fresh);
      stale.hidden = true;
    } catch {
      stale.hidden = false;
    }
  }
  setTimeout(again, EVERY_MS);
}

pause.hidden = false;
pause.addEventListener('click', () => {
  isPaused = !isPaused;
  pause.textContent = isPaused ? 'Go on refreshing' : 'Stop refreshing';
});
setTimeout(again, EVERY_MS);

// Manage in a browser: records and their additions, and around pods the host's side of the
// Hosted API. Every message is a JSON text; what isn't one is ignored without a word.

const knobs = new URLSearchParams(location.search);
const silent = knobs.has('silent'); // answers no getMemberAuthentication
const bare = knobs.has('bare'); // sends no ids, as other shells do
const patience = 5000; // ms that a save waits for a pod

const main = document.getElementById('main');
let shown; // the record
let pods = []; // {frame, origin, id, dirty, saves}
let events = 0;

const ask = async (method, path, sent) => {
  const response = await fetch(`/hostpage/${path}`, { method, body: sent && JSON.stringify(sent) });
  const said = await response.json();
  if (!response.ok) throw new Error(said.error);
  return said;
};

/** An element with attributes and children; texts are texts. */
function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value);
  }
  made.append(...children.filter((c) => c !== undefined));
  return made;
}

/* ---- the Hosted API, the host's side ---- */

const say = (pod, message) => pod.frame.contentWindow?.postMessage(JSON.stringify(message), pod.origin);

function event(pod, name) {
  const id = String(++events);
  const data = { screenObject: { screen: shown.screen, id: shown.id, hostedAs: pod.as } };
  say(pod, bare ? { event: name, data } : { event: name, _id: id, data });
  return id;
}

async function answer(pod, request) {
  const name = request.hosted_request;
  if (name === 'getMemberAuthentication') {
    if (silent) return;
    const data = await ask('GET', 'authentication');
    say(pod, { response: name.toLowerCase(), data, ...(bare ? {} : { _id: String(++events) }) });
  } else if (name === 'refreshScreen') {
    if (pods.some((p) => p.dirty) && !confirm('Unsaved changes are lost. Refresh?')) return;
    await refresh();
  } else if (name === 'setDirty') {
    pod.dirty = Boolean(request.args?.dirty);
  } else if (name === 'openScreen') {
    const to = `/${request.args.screen === 'company' ? 'companies' : 'agreements'}/${Number(request.args.id)}`;
    if (request.args.newTab) open(to);
    else location.href = to;
  }
}

addEventListener('message', (e) => {
  const pod = pods.find((p) => p.frame.contentWindow === e.source && (p.origin === '*' || p.origin === e.origin));
  if (!pod || typeof e.data !== 'string') return;
  let message;
  try {
    message = JSON.parse(e.data);
  } catch {
    return;
  }
  if (message.message === 'ready') {
    if (!bare) for (let twice = 0; twice < 2; twice++) say(pod, { MessageFrameID: pod.id });
    event(pod, 'onLoad');
  } else if (message.hosted_request) {
    if (bare || message.frameID === pod.id) void answer(pod, message);
  } else if (message.event) {
    main.dispatchEvent(new CustomEvent('answered', { detail: { pod, message } }));
  }
});

/** Asks every pod before a save; one that says nothing holds it up. */
function mayBeSaved() {
  return Promise.all(
    pods.map(
      (pod) =>
        new Promise((resolve) => {
          const id = event(pod, 'beforeSave');
          const over = setTimeout(() => resolve('A pod did not answer, so the screen cannot be saved.'), patience);
          main.addEventListener('answered', function hear({ detail: { pod: by, message } }) {
            if (by !== pod || message.event !== 'beforeSave' || (!bare && message._id !== id)) return;
            clearTimeout(over);
            main.removeEventListener('answered', hear);
            resolve(message.result === 'success' ? '' : (message.errors ?? ['A pod refuses.']).join(' '));
          });
        }),
    ),
  );
}

/* ---- what is drawn ---- */

const address = (r) => (r.screen === 'agreement' ? `/agreements/${r.id}` : r.screen === 'company' ? `/companies/${r.id}` : `/companies/${r.id}/finance`);

/** Where a record is in the address; undefined on the first page. */
function asked() {
  const [, kind, id, tab] = location.pathname.split('/');
  if (kind === 'agreements') return { screen: 'agreement', id };
  if (kind === 'companies') return { screen: tab === 'finance' ? 'companyfinance' : 'company', id };
  return undefined;
}

function additions(rows) {
  const quantity = (l) => {
    const input = el('input', { value: l.quantity, 'aria-label': `Quantity of ${l.product} #${l.id}` });
    input.dataset.addition = l.id;
    return input;
  };
  return el(
    'table',
    { id: 'additions', 'aria-label': 'Additions' },
    el('thead', {}, el('tr', {}, ...['Product', 'Quantity', 'Unit price', 'Effective', 'Cancelled', 'Serial', 'Updated by'].map((h) => el('th', {}, h)))),
    el(
      'tbody',
      {},
      ...rows.map((l) => {
        const row = el(
          'tr',
          {},
          el('td', {}, `${l.product} #${l.id}`, el('div', { class: 'invoiced' }, l.invoiced)),
          el('td', {}, quantity(l), l.less && l.less !== '0' ? ` less ${l.less}` : ''),
          ...[l.price, l.effective, l.cancelled, l.serial, l.by].map((t) => el('td', {}, t)),
        );
        row.dataset.addition = l.id;
        return row;
      }),
    ),
  );
}

function body(r) {
  if (r.screen === 'agreement') return additions(r.additions ?? []);
  return el(
    'table',
    { 'aria-label': 'Agreements' },
    el('thead', {}, el('tr', {}, el('th', {}, 'Agreement'), el('th', {}, 'Type'))),
    el('tbody', {}, ...(r.agreements ?? []).map((a) => el('tr', {}, el('td', {}, link({ screen: 'agreement', id: a.id }, `${a.name} #${a.id}`)), el('td', {}, a.type)))),
  );
}

function link(to, text) {
  return el('a', { href: address(to) + location.search, 'data-to': `${to.screen} ${to.id}` }, text);
}

function facts(r) {
  return el('dl', {}, ...r.facts.filter(([, value]) => value).map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value))));
}

/** Draws a record anew and leaves the frames alone: they are told of it. */
function draw(r) {
  document.getElementById('where').textContent = `${r.screen === 'agreement' ? 'Agreement' : 'Company'}: ${r.name} #${r.id}`;
  const head = el(
    'div',
    { class: 'bar' },
    el('button', { onclick: () => void save() }, 'Save'),
    el('button', { onclick: () => void refresh() }, 'Refresh'),
    r.screen === 'agreement' ? link({ screen: 'company', id: r.company.id }, r.company.name) : link({ screen: r.screen === 'company' ? 'companyfinance' : 'company', id: r.id }, r.screen === 'company' ? 'Finance' : 'Company'),
    el('span', { class: 'status', role: 'status', id: 'status' }),
  );
  const box = el('div', { class: 'box' }, el('h2', {}, r.screen === 'agreement' ? 'Additions' : 'Agreements'), body(r));
  document.getElementById('record').replaceChildren(el('h1', {}, r.name), head, el('div', { class: 'box' }, facts(r)), box);
}

function frames(r) {
  pods = [];
  const boxes = r.pods.map((p) => {
    const frame = el('iframe', { src: p.url, title: p.title, style: `height: ${p.height || 400}px` });
    pods.push({ frame, origin: p.origin || '*', id: `pod${p.id}`, as: p.as, dirty: false });
    return el('div', { class: 'box pod' }, el('h2', {}, p.title), frame);
  });
  if (boxes.length === 0) boxes.push(el('p', {}, 'No pod is set up on this screen. trueup install makes one.'));
  document.getElementById('pods').replaceChildren(...boxes);
}

async function read() {
  shown = await ask('GET', `records/${shown.screen}/${shown.id}`);
  draw(shown);
}

/** The record again, and every pod hears of it. */
async function refresh() {
  await read();
  for (const pod of pods) event(pod, 'onLoad');
}

async function save() {
  const told = document.getElementById('status');
  told.textContent = 'Saving…';
  const refused = (await mayBeSaved()).filter(Boolean);
  if (refused.length) {
    told.textContent = refused.join(' ');
    return;
  }
  const before = new Map((shown.additions ?? []).map((l) => [l.id, l.quantity]));
  for (const input of document.querySelectorAll('#additions input')) {
    const id = Number(input.dataset.addition);
    if (input.value !== before.get(id)) await ask('PUT', `additions/${id}`, { quantity: Number(input.value) });
  }
  await refresh();
  document.getElementById('status').textContent = 'Saved.';
}

/** Opens a record; of the same screen in place, so that the frames stay and are told. */
async function show(to) {
  const same = shown?.screen === to.screen && pods.length > 0;
  shown = await ask('GET', `records/${to.screen}/${to.id}`);
  if (!same) main.replaceChildren(el('div', { id: 'record' }), el('div', { id: 'pods' }));
  draw(shown);
  if (same) for (const pod of pods) event(pod, 'onLoad');
  else frames(shown);
}

async function list() {
  const rows = await ask('GET', 'companies');
  const row = (c) => el('tr', {}, el('td', {}, link({ screen: 'company', id: c.id }, c.name)), el('td', {}, ...c.agreements.flatMap((a) => [link({ screen: 'agreement', id: a.id }, `${a.name} #${a.id}`), el('br')])));
  main.replaceChildren(
    el('h1', {}, 'Companies'),
    el('div', { class: 'box list' }, el('table', {}, el('thead', {}, el('tr', {}, el('th', {}, 'Company'), el('th', {}, 'Agreements'))), el('tbody', {}, ...rows.map(row)))),
  );
}

async function start() {
  const select = document.getElementById('member');
  for (const m of await ask('GET', 'members')) {
    const option = el('option', { value: m.id }, `${m.name} (${m.identifier})`);
    option.selected = m.signedIn;
    select.append(option);
  }
  select.addEventListener('change', async () => {
    await ask('PUT', 'member', { id: Number(select.value) });
    location.reload();
  });
  addEventListener('popstate', () => location.reload());
  document.addEventListener('click', (e) => {
    const to = e.target.closest?.('a[data-to]')?.dataset.to?.split(' ');
    if (!to || !shown || e.ctrlKey || e.metaKey) return;
    e.preventDefault();
    history.pushState(null, '', e.target.closest('a').href);
    void show({ screen: to[0], id: to[1] });
  });
  const to = asked();
  await (to ? show(to) : list());
}

start().catch((error) => main.replaceChildren(el('p', { role: 'alert' }, String(error.message))));

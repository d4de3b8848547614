// What is shown is a function of the page's address: filters, view and open document stand behind its '#'.

const board = JSON.parse(document.getElementById('board').textContent);
const cards = board.cards;
const COLUMN = 100; // Cards that a column shows at first; printing shows them all.
const KEYS = { b: 'board', p: 'progress', g: 'graph', s: 'syncs' };
const byId = id => document.getElementById(id);

// An element with attributes and children. Text stays text.
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === 'on') for (const [event, run] of Object.entries(value)) element.addEventListener(event, run);
    else if (value === true) element.setAttribute(key, '');
    else if (value !== false && value != null) element.setAttribute(key, value);
  }
  element.append(...children.filter(child => child != null && child !== ''));
  return element;
}

const count = (n, word) => `${n.toLocaleString()} ${word}${n === 1 ? '' : 's'}`;
const time = text => { const date = new Date(text); return isNaN(date) ? text : date.toLocaleString(); };
const phaseName = number => board.phases[number] || 'no phase';

cards.forEach((card, number) => {
  card.number = number;
  card.children = [];
  card.blocks = [];
});
cards.forEach(card => {
  if (typeof card.parent === 'number') cards[card.parent].children.push(card);
  for (const blocker of card.blocked_by) if (typeof blocker === 'number') cards[blocker].blocks.push(card);
  card.words = [card.code, card.title, card.workspace, card.type, ...card.tags].join(' ').toLowerCase();
});

// --- The address

function state() {
  const set = new URLSearchParams(location.hash.slice(1));
  return {
    q: set.get('q') || '', workspace: set.get('workspace') || '', type: set.get('type') || '', tag: set.get('tag') || '',
    ready: set.has('ready'), archived: set.has('archived'), view: set.get('view') || 'board', open: set.get('open') || '',
  };
}

function address(changes) {
  const set = new URLSearchParams();
  for (const [key, value] of Object.entries({ ...state(), ...changes })) {
    if (value && !(key === 'view' && value === 'board')) set.set(key, value === true ? '1' : value);
  }
  return '#' + set;
}

function go(changes, leavesTrace = false) {
  const to = address(changes);
  if (to === location.hash || (to === '#' && !location.hash)) return;
  history[leavesTrace ? 'pushState' : 'replaceState'](null, '', to);
  show();
}

// --- The filters

function fits(now) {
  const words = now.q.toLowerCase().split(/\s+/).filter(Boolean);
  const tag = now.tag.toLowerCase().replace(/^#/, '');
  // Documents are read for words of three letters and more: shorter ones are in all of them.
  const inText = words.some(word => word.length > 2) && textsAreHere();
  return cards.filter(card =>
    (now.archived || !card.archived) &&
    (!now.ready || card.ready) &&
    (!now.workspace || card.workspace === now.workspace) &&
    (!now.type || card.type === now.type) &&
    (!tag || card.tags.some(own => own.toLowerCase() === tag)) &&
    words.every(word => card.words.includes(word) || (inText && word.length > 2 && plainText(card).includes(word))));
}

function options(select, values) {
  for (const value of [...new Set(values)].filter(Boolean).sort()) select.append(make('option', { value }, value));
}

function fillFilters() {
  board.workspaces.forEach(one => byId('workspace').append(make('option', { value: one.prefix }, one.prefix)));
  options(byId('type'), cards.map(card => card.type));
  options(byId('tags'), cards.flatMap(card => card.tags).slice(0, 5000));
  for (const id of ['q', 'workspace', 'type', 'tag']) byId(id).addEventListener('input', event => go({ [id]: event.target.value }));
  for (const id of ['ready', 'archived']) byId(id).addEventListener('change', event => go({ [id]: event.target.checked }));
  document.querySelectorAll('[data-view]').forEach(button =>
    button.addEventListener('click', () => go({ view: button.dataset.view }, true)));
}

// --- The views

function progress(finished, total) {
  return make('progress', { max: total || 1, value: finished, 'aria-label': `${finished} of ${total} finished` });
}

function showCard(card) {
  return make('button', {
    type: 'button', class: `card ${card.finished ? 'finished' : ''} ${card.archived ? 'archived' : ''}`, 'data-code': card.code,
    on: { click: () => go({ open: `${card.workspace}/${card.code}` }, true) },
  },
  make('span', { class: 'code' }, card.code, make('span', { class: 'where' }, ` ${card.workspace} · ${card.type || 'document'}`)),
  make('bdi', { class: 'title' }, card.title),
  card.tags.length ? make('span', { class: 'tags' }, ...card.tags.slice(0, 8).map(tag => make('bdi', {}, tag))) : null,
  isBlocked(card) ? make('span', { class: 'blocked' }, 'waits for ' + waitsFor(card).join(', ')) : null,
  card.below ? make('span', { class: 'below' }, progress(card.below_finished, card.below), ` ${card.below_finished}/${card.below}`) : null);
}

const name = target => typeof target === 'number' ? cards[target].code : target;
const isOpen = target => typeof target !== 'number' || !(cards[target].finished || cards[target].archived);
const waitsFor = card => card.blocked_by.filter(isOpen).map(name);
const isBlocked = card => !card.finished && waitsFor(card).length > 0;

function showColumn(phase, all) {
  const list = make('div', { class: 'cards' });
  const more = make('button', { type: 'button', class: 'more', on: { click: () => add(COLUMN) } });
  let shown = 0;
  const add = n => {
    list.append(...all.slice(shown, shown + n).map(showCard));
    shown = Math.min(all.length, shown + n);
    more.hidden = shown === all.length;
    more.textContent = `${count(all.length - shown, 'more document')}`;
  };
  add(COLUMN);
  addEventListener('beforeprint', () => list.isConnected && add(Infinity));
  return make('section', { class: 'column', 'aria-label': phaseName(phase) },
    make('h2', {}, phaseName(phase), make('span', { class: 'number' }, all.length.toLocaleString())), list, more);
}

function showBoard(found) {
  const columns = board.phases.map(() => []);
  found.forEach(card => columns[card.phase].push(card));
  return make('div', { class: 'board' }, ...columns.flatMap((all, phase) => all.length ? [showColumn(phase, all)] : []));
}

function table(caption, heads, rows) {
  return make('table', {}, make('caption', {}, caption),
    make('thead', {}, make('tr', {}, ...heads.map(head => make('th', { scope: 'col' }, head)))),
    make('tbody', {}, ...rows.map(cells => make('tr', {}, ...cells.map(cell => make('td', {}, cell ?? ''))))));
}

function showProgress(found) {
  const shares = board.workspaces.map(one =>
    [one.prefix + (one.owned ? ' (own)' : ''), one.total.toLocaleString(), one.finished.toLocaleString(), progress(one.finished, one.total)]);
  const parents = found.filter(card => card.below).slice(0, 1000).map(card =>
    [linkTo(card), make('bdi', {}, card.title), phaseName(card.phase), `${card.below_finished}/${card.below}`, progress(card.below_finished, card.below)]);
  return make('div', { class: 'tables' },
    table('Workspaces', ['workspace', 'documents', 'finished', 'progress'], shares),
    table('Documents with others below them', ['code', 'title', 'phase', 'finished', 'progress'], parents));
}

function showSyncs() {
  const pulled = entry => Object.entries(entry.pulled || {}).map(([prefix, n]) => `${prefix} ${n}`).join(', ');
  const rows = board.syncs.map(entry =>
    [time(entry.started), make('bdi', {}, entry.error ? `failed: ${entry.error}` : entry.outcome), pulled(entry), entry.pushed || '',
      entry.removed || '', (entry.commit || '').slice(0, 10), make('bdi', {}, entry.trigger)]);
  return make('div', { class: 'tables' },
    table('The last syncs of this clone', ['began', 'outcome', 'pulled', 'pushed', 'removed', 'commit', 'by'], rows));
}

const VIEWS = { board: showBoard, progress: showProgress, graph: found => showGraph(found), syncs: showSyncs };

let shown = '';

function show() {
  const now = state();
  if (!Object.hasOwn(VIEWS, now.view)) now.view = 'board';
  for (const id of ['q', 'workspace', 'type', 'tag']) if (byId(id).value !== now[id]) byId(id).value = now[id];
  for (const id of ['ready', 'archived']) byId(id).checked = now[id];
  document.querySelectorAll('[data-view]').forEach(button =>
    button.setAttribute('aria-pressed', String(button.dataset.view === now.view)));
  const wanted = JSON.stringify({ ...now, open: '' });
  if (wanted !== shown) {
    shown = wanted;
    const found = fits(now);
    byId('count').textContent = count(found.length, 'document');
    byId('main').replaceChildren(VIEWS[now.view](found));
  }
  showDocument(now.open);
}

// --- The keyboard

function move(key) {
  const columns = [...document.querySelectorAll('.column')].map(column => [...column.querySelectorAll('.card')]);
  const x = columns.findIndex(column => column.includes(document.activeElement));
  if (x < 0) return columns[0]?.[0];
  const y = columns[x].indexOf(document.activeElement);
  const across = { ArrowLeft: -1, ArrowRight: 1 }[key];
  if (!across) return columns[x][y + (key === 'ArrowUp' ? -1 : 1)];
  const column = columns[x + across] || [];
  return column[Math.min(y, column.length - 1)];
}

function press(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || byId('document').open) return;
  if (event.target.matches('input, select')) {
    if (event.key === 'Escape') event.target.blur();
    return;
  }
  if (event.key === '/') byId('q').focus();
  else if (Object.hasOwn(KEYS, event.key)) go({ view: KEYS[event.key] }, true);
  else if (event.key.startsWith('Arrow')) {
    const to = move(event.key);
    if (!to) return;
    to.focus();
  } else return;
  event.preventDefault();
}

function start() {
  const asOf = board.as_of;
  byId('age').textContent = `${count(cards.length, 'document')} in ${count(board.workspaces.length, 'workspace')}, made ${time(board.made)}` +
    (asOf.synced ? `; last sync that changed something: ${time(asOf.synced)}` : '') +
    (asOf.head ? `; central at ${asOf.head.slice(0, 10)}` : '');
  fillFilters();
  if (byId('main').dataset.version) follow(byId('main').dataset.version);
  addEventListener('hashchange', show);
  addEventListener('popstate', show);
  addEventListener('keydown', press);
  // What they say comes behind this script, so that the board is seen before; whatever needs it is shown once more.
  addEventListener('DOMContentLoaded', () => {
    if (state().q) shown = '';
    show();
  });
  show();
}

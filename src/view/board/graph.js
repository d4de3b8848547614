
// --- The graph of parents and blockers

const NODES = 400;
const [WIDTH, HEIGHT, ACROSS, DOWN] = [340, 26, 44, 34];

function draw(name, attributes, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

// Parents stand left of what is below them, each document on a line of its own.
function layOut(found) {
  const inside = new Set(found);
  const places = new Map();
  const place = (card, x) => {
    if (places.has(card) || !inside.has(card) || places.size === NODES) return;
    places.set(card, { x, y: places.size });
    if (x < 30) card.children.forEach(child => place(child, x + 1));
  };
  const hasParent = card => typeof card.parent === 'number' && inside.has(cards[card.parent]);
  const tells = card => card.children.length || card.blocks.length || card.blocked_by.length || hasParent(card);
  const roots = found.filter(card => tells(card) && !hasParent(card));
  roots.forEach(card => place(card, 0));
  // What is left stands in circles, or beyond what can be shown.
  found.filter(tells).forEach(card => place(card, 0));
  return { places, total: found.filter(tells).length };
}

const left = place => place.x * ACROSS + 10;
const middle = place => place.y * DOWN + 10 + HEIGHT / 2;

function parentLine(above, below) {
  const x = left(above) + 12;
  const [from, to] = [middle(above) + HEIGHT / 2, middle(below)];
  return draw('path', { class: 'parent', d: `M${x} ${from} V${to} H${left(below)}` });
}

function blockerLine(blocker, blocked) {
  const [x1, y1, x2, y2] = [left(blocker) + WIDTH, middle(blocker), left(blocked) + WIDTH, middle(blocked)];
  const bend = Math.max(x1, x2) + 20 + Math.min(60, Math.abs(y2 - y1) / 4);
  return draw('path', { class: 'blocker', d: `M${x1} ${y1} C${bend} ${y1} ${bend} ${y2} ${x2} ${y2}`, 'marker-end': 'url(#arrow)' });
}

function node(card, place) {
  const says = `${card.code} ${card.title}`;
  const open = () => go({ open: `${card.workspace}/${card.code}` }, true);
  const group = draw('g', {
    class: `node ${card.finished ? 'finished' : isBlocked(card) ? 'waiting' : ''}`, tabindex: 0, role: 'link',
    'aria-label': says, 'data-code': card.code, transform: `translate(${left(place)} ${middle(place) - HEIGHT / 2})`,
  },
  draw('title', {}, `${says} (${card.workspace}, ${phaseName(card.phase)})`),
  draw('rect', { width: WIDTH, height: HEIGHT, rx: 5 }),
  draw('text', { x: 8, y: HEIGHT / 2 + 4 }, says.length > 50 ? says.slice(0, 49) + '…' : says));
  group.addEventListener('click', open);
  group.addEventListener('keydown', event => { if (event.key === 'Enter') open(); });
  return group;
}

function showGraph(found) {
  const { places, total } = layOut(found);
  if (!places.size) return make('p', { class: 'note' }, 'No document here has a parent or waits for another.');
  const lines = [];
  for (const [card, place] of places) {
    const above = typeof card.parent === 'number' && places.get(cards[card.parent]);
    if (above && above.x < place.x) lines.push(parentLine(above, place));
    for (const blocker of card.blocked_by) {
      const from = typeof blocker === 'number' && places.get(cards[blocker]);
      if (from) lines.push(blockerLine(from, place));
    }
  }
  const all = [...places.values()];
  const width = Math.max(...all.map(left)) + WIDTH + 100;
  const height = places.size * DOWN + 20;
  const arrow = draw('marker', { id: 'arrow', viewBox: '0 0 8 8', refX: 8, refY: 4, markerWidth: 8, markerHeight: 8, orient: 'auto' },
    draw('path', { d: 'M0 0 L8 4 L0 8 z' }));
  const svg = draw('svg', { viewBox: `0 0 ${width} ${height}`, width, height, role: 'group', 'aria-label': 'Parents and blockers' },
    draw('defs', {}, arrow), ...lines, ...[...places].map(([card, place]) => node(card, place)));
  return make('div', { class: 'graph' },
    make('p', { class: 'note' }, `Lines lead from parents to what is below them, dashed arrows from a document to what waits for it. ${
      total > places.size ? `${places.size} of ${count(total, 'document')} are shown: filters choose others.` : ''}`),
    svg);
}

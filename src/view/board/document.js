
// --- What a document says

// The elements that a document may have. All others are shown as plain text.
const ALLOWED = new Set(['div', 'p', 'h3', 'h4', 'h5', 'h6', 'ul', 'ol', 'li', 'blockquote', 'pre', 'code', 'em', 'strong', 'del',
  'table', 'thead', 'tr', 'th', 'td', 'hr', 'br', 'a', 'span']);

const LINKS = 40; // Of one kind, that a document shows.

let texts = null;
const plain = new Map();

const textsAreHere = () => document.readyState !== 'loading';

function nodesOf(card) {
  if (!textsAreHere()) return ['div'];
  texts ??= JSON.parse(byId('texts').textContent);
  return texts[card.number];
}

function plainText(card) {
  if (!plain.has(card)) {
    const collect = node => typeof node === 'string' ? node : Array.isArray(node) ? node.slice(1).map(collect).join('') + ' ' : '';
    plain.set(card, collect(nodesOf(card)).toLowerCase());
  }
  return plain.get(card);
}

function build(node) {
  if (typeof node === 'string') return document.createTextNode(node);
  const [tag, ...rest] = node;
  const element = document.createElement(ALLOWED.has(tag) ? tag : 'span');
  for (const child of rest) {
    if (typeof child === 'string' || Array.isArray(child)) element.append(build(child));
    else if (tag === 'a') lead(element, child.href);
  }
  if (['p', 'li', 'td', 'th', 'h3', 'h4', 'h5', 'h6'].includes(tag)) element.dir = 'auto';
  return element;
}

function lead(element, href) {
  if (/^(https?:\/\/|mailto:)/i.test(href)) {
    element.href = href;
    element.rel = 'noopener noreferrer';
    element.target = '_blank';
    element.title = href;
    return;
  }
  const card = cards.find(card => '#' + card.code === href);
  if (card) element.href = address({ open: `${card.workspace}/${card.code}` });
}

function linkTo(target) {
  const card = typeof target === 'number' ? cards[target] : target;
  if (typeof card === 'string') return make('span', { class: 'nowhere', title: 'no workspace has it' }, card);
  return make('a', { href: address({ open: `${card.workspace}/${card.code}` }), title: card.title, class: card.finished ? 'finished' : '' }, card.code);
}

function showDocument(open) {
  const dialog = byId('document');
  const card = open && cards.find(card => `${card.workspace}/${card.code}` === open);
  if (!card) {
    if (dialog.open) dialog.close();
    return;
  }
  const row = (title, all) => {
    const links = all.slice(0, LINKS).flatMap(one => [linkTo(one), ' ']);
    const more = all.length > LINKS ? `and ${(all.length - LINKS).toLocaleString()} more` : '';
    return all.length ? [make('dt', {}, title), make('dd', {}, ...links, more)] : [];
  };
  dialog.replaceChildren(
    make('form', { method: 'dialog' }, make('button', { 'aria-label': 'Close' }, '×')),
    make('h2', { id: 'document-title' }, `${card.code} `, make('bdi', {}, card.title)),
    make('dl', {},
      make('dt', {}, 'Workspace'), make('dd', {}, card.workspace),
      make('dt', {}, 'Phase'), make('dd', {}, phaseName(card.phase) + (card.archived ? ', archived' : '')),
      ...(card.type ? [make('dt', {}, 'Type'), make('dd', {}, card.type)] : []),
      ...(card.tags.length ? [make('dt', {}, 'Tags'), make('dd', {}, card.tags.join(', '))] : []),
      ...row('Part of', card.parent == null ? [] : [card.parent]),
      ...row('Waits for', card.blocked_by),
      ...row('Blocks', card.blocks),
      ...row('Below it', card.children)),
    make('article', {}, build(nodesOf(card))));
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  dialog.onclose = () => {
    go({ open: '' });
    document.querySelector(`.card[data-code="${CSS.escape(card.code)}"]`)?.focus();
  };
}

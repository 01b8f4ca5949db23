// The pages of The Daily Edge.

import { READERS } from "./readers.mjs";

/** Long reads, by the last part of their address. */
export const ARTICLES = {
  "the-last-mile": {
    title: "The last mile is the longest",
    lead: "A morning with the people who keep the cables between the continents alive.",
    text: [
      "At four in the morning the ship is already awake. Somewhere below, two thousand metres of cold water away, a cable no thicker than a garden hose has stopped carrying light.",
      "Nobody on shore has noticed. Traffic took another way within milliseconds, as it was built to, and the only trace is a line in a log and a ship that changed its course.",
      "“People think of the network as weather,” says the engineer at the winch. “It isn't. It is plumbing, and somebody has to get wet.”",
    ],
  },
  "a-price-on-the-door": {
    title: "A price on the door",
    lead: "Status code 402 was reserved in 1997. What took it so long?",
    text: [
      "For a quarter of a century it sat in the table between 401 and 403, marked “reserved for future use”: Payment Required.",
      "Shops were built without it, and so were subscriptions, paywalls and meters. Each told the reader in its own way what the protocol could have said in three digits.",
      "Now that machines read as much as people do, a number that says “this can be had, and here is how” has found its use.",
    ],
  },
};

/** Opinions, of which some are free: by the last part of their address. */
export const OPINIONS = {
  "on-doors": "A door that says what it costs is a friendlier door than one that is merely closed.",
  "on-queues": "A queue is a promise. A number on a slip of paper is a better one.",
  "on-maps": "Every map leaves something out, and the honest ones say what.",
  "on-weather": "Nobody has ever cancelled a subscription to the weather.",
};

/** The front page, open to all. `guide` is what there is to try: `{ steps: [{ what, command }], providerUrl }`, or null. */
export function frontPage(guide = null) {
  const items = Object.entries(ARTICLES).map(
    ([slug, { title, lead }]) =>
      `<article><h2><a href="/articles/${slug}">${escape(title)}</a></h2><p>${escape(lead)}</p><p class="kind">Long read · for subscribers</p></article>`,
  );
  const opinions = Object.keys(OPINIONS).map((slug) => `<a href="/opinion/${slug}">${titleOf(slug)}</a>`).join(", ");
  return page(
    "Front page",
    `<h1>Good morning.</h1>${items.join("")}
     <article><h2>Opinion</h2><p>${opinions}</p><p class="kind">Three a month are free</p></article>
     <article><h2><a href="/newsroom/draft">Tomorrow's front page</a></h2><p>For the staff alone; not for sale.</p></article>
     <article><h2><a href="/files/200mb">The archive, in one file</a></h2><p>200 MB, free, can be resumed.</p></article>${guide ? guidePart(guide) : ""}`,
  );
}

/** What `npm start` has no room for. */
function guidePart({ steps, providerUrl }) {
  const items = steps.map(({ what, command }) => `<li><p>${escape(what)}</p><pre>${escape(command)}</pre></li>`);
  const readers = Object.entries(READERS).map(([name, { about }]) => `<li><a href="/login?as=${name}&amp;return_to=/">${name}</a> ${escape(about)}</li>`);
  return `<section class="guide"><h2>Try the gate</h2>
    <p>In this browser: sign in as somebody, then follow a long read.</p><ul>${readers.join("")}</ul>
    <p>The <a href="${escape(providerUrl)}">pretend payment provider</a> has a page with buttons: Erin's card expires, a charge fails,
    she pays. Its webhooks reach the gate within seconds.</p>
    <p>In a terminal, in the project's folder: paste a line to see the answer that is named above it.</p><ol>${items.join("")}</ol></section>`;
}

/** A long read. `caller` is who the gate's assertion names. */
export function articlePage({ title, lead, text }, caller) {
  const paragraphs = text.map((one) => `<p>${escape(one)}</p>`).join("");
  return page(title, `<h1>${escape(title)}</h1><p class="lead">${escape(lead)}</p>${paragraphs}${who(caller)}`);
}

/** An opinion. `caller` is nobody where it was free. */
export function opinionPage(slug, caller) {
  const text = Object.hasOwn(OPINIONS, slug) ? OPINIONS[slug] : "Nobody has one about this yet.";
  return page(titleOf(slug), `<h1>${titleOf(slug)}</h1><p class="lead">${escape(text)}</p>${who(caller)}`);
}

/** The staff's page. */
export function newsroomPage(caller) {
  return page("Tomorrow", `<h1>Tomorrow's front page</h1><p>Still empty.</p>${who(caller)}`);
}

/** Choose who to be. */
export function loginPage(returnTo) {
  const to = encodeURIComponent(returnTo);
  const items = Object.entries(READERS).map(
    ([name, { about }]) => `<li><a href="/login?as=${name}&amp;return_to=${to}">${name}</a> ${escape(about)}</li>`,
  );
  return page(
    "Sign in",
    `<h1>Who are you today?</h1><ul>${items.join("")}</ul><p><a href="/logout">Nobody: sign out</a></p>`,
  );
}

/** What is sold. */
export function plansPage(name, returnTo) {
  const button = form("/plans", returnTo, "Subscribe for €9 a month (nothing is charged)");
  return page("Plans", `<h1>Read everything</h1><p>Pro: every long read, 10,000 API units a month.</p>${as(name)}${button}`);
}

/** Where a reader repairs a payment. */
export function accountPage(name, returnTo) {
  const button = form("/account", returnTo, "Use a card that works");
  return page("Your account", `<h1>Your account</h1>${as(name)}${name ? button : ""}`);
}

/** Any refusal of the origin's own. */
export function messagePage(title, text) {
  return page(title, `<h1>${escape(title)}</h1><p>${escape(text)}</p>`);
}

/** The paper's logo. */
export const LOGO = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" width="64" height="64"><rect width="64" height="64" rx="12" fill="#9a3412"/><path d="M14 18h36M14 32h36M14 46h22" stroke="#fff" stroke-width="6" stroke-linecap="round"/></svg>`;

function titleOf(slug) {
  return escape(`${slug.slice(0, 1).toUpperCase()}${slug.slice(1)}`.replaceAll("-", " "));
}

function who(caller) {
  if (!caller.account) return `<p class="who">The gate let you read this for free.</p>`;
  const plan = caller.plan ? ` on plan ${escape(caller.plan)}` : "";
  return `<p class="who">You are ${escape(caller.account)}${plan}, verified by the gate's signature.</p>`;
}

function as(name) {
  const text = name ? `Signed in as ${escape(name)}.` : `You are not signed in. <a href="/login">Sign in</a>`;
  return `<p class="kind">${text}</p>`;
}

function form(action, returnTo, label) {
  return `<form method="post" action="${action}?return_to=${encodeURIComponent(returnTo)}"><button>${escape(label)}</button></form>`;
}

function escape(text) {
  return String(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function page(title, body) {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)} · The Daily Edge</title>
<link rel="icon" href="/logo.svg">
<style>${STYLE}</style>
</head>
<body>
<header><a href="/">The Daily Edge</a><nav><a href="/plans">Plans</a> <a href="/account">Account</a> <a href="/_tollgate/billing/portal?return=/">Your subscription (pretend provider)</a> <a href="/login">Sign in</a></nav></header>
<main>${body}</main>
<footer>A demo site behind Tollgate.</footer>
</body>
</html>
`;
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1c1917; --paper: #fffdf8; --accent: #9a3412; --soft: #57534e; }
@media (prefers-color-scheme: dark) { :root { --ink: #f5f5f4; --paper: #1c1917; --accent: #fdba74; --soft: #a8a29e; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 42rem; background: var(--paper); color: var(--ink);
  font: 1.125rem/1.6 Georgia, "Times New Roman", serif; }
header { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; align-items: baseline; justify-content: space-between;
  border-bottom: 3px double; padding-bottom: .5rem; }
header > a { font-size: 1.75rem; font-weight: bold; color: inherit; text-decoration: none; }
nav { font: 1rem/1.5 system-ui, sans-serif; }
nav a { margin-right: .75rem; }
h1, h2 { line-height: 1.2; }
h2 { margin: 1.5rem 0 .25rem; font-size: 1.375rem; }
a { color: var(--accent); }
article p { margin: .25rem 0; }
.lead { font-size: 1.25rem; color: var(--soft); }
.kind, footer { font: .9rem/1.5 system-ui, sans-serif; color: var(--soft); }
.who { border-left: 4px solid var(--accent); padding-left: 1rem; font: 1rem/1.5 system-ui, sans-serif; }
button { font: inherit; padding: .6rem 1.2rem; border: 0; border-radius: .4rem; background: var(--accent); color: var(--paper); cursor: pointer; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; }
.guide { margin-top: 2.5rem; border-top: 3px double; font: 1rem/1.5 system-ui, sans-serif; }
.guide ol { padding-left: 0; list-style: none; }
.guide ol p { margin: 1rem 0 .25rem; }
pre { margin: 0; padding: .5rem .75rem; border-left: 4px solid var(--accent); white-space: pre-wrap; overflow-wrap: anywhere; user-select: all; font: .85rem/1.5 ui-monospace, monospace; }
footer { margin-top: 3rem; border-top: 1px solid; padding-top: .5rem; }
`;

// What people see of the pretend provider: plain forms that need no script.

import { DECLINE_CODES } from "./declines.mjs";

const NEWEST_EVENTS = 40;

/** Where a plan is bought. */
export function checkoutPage({ session, price, isRefused = false }) {
  const refused = isRefused ? `<p class="alarm" role="alert">The card was declined. Please use another one.</p>` : "";
  const back = session.cancel_url ? `<p><a href="${escape(session.cancel_url)}">Back without buying</a></p>` : "";
  if (session.status === "complete") return page("Paid", `<h1>This is paid.</h1>${link(session.success_url, "Back to the shop")}`);
  return page(
    "Checkout",
    `<h1>Subscribe to ${escape(price.nickname ?? price.id)}</h1>
     <p class="price">${money(price)} a ${escape(price.recurring.interval)}</p>${refused}
     <form method="post"><fieldset><legend>Card</legend>
       <p><label><input type="radio" name="card" value="" checked> Visa 4242, a card that works</label></p>
       <p><label><input type="radio" name="card" value="insufficient_funds"> Visa 0341, without money on it</label></p>
       <p><label><input type="radio" name="card" value="expired_card"> Visa 0069, which has expired</label></p>
     </fieldset><button name="do" value="pay">Pay ${money(price)}</button></form>${back}`,
  );
}

/** Where a customer looks after card and subscription. */
export function portalPage({ session, customer, card, subscriptions, openInvoices, told = null }) {
  const due = openInvoices.reduce((sum, { amount_remaining }) => sum + amount_remaining, 0);
  const owed = due === 0 ? "" : `<p class="alarm">Open: ${amount(due, openInvoices[0].currency)}. The last try failed.</p>`;
  const back = session.return_url ? `<p><a class="button" href="${escape(session.return_url)}">Back to the site</a></p>` : "";
  const said = told ? `<p class="said" role="status">${escape(told)}</p>` : "";
  return page(
    "Your subscription",
    `<h1>Your subscription</h1>${said}<p>${escape(customer.name ?? customer.email ?? customer.id)}</p>${owed}
     <h2>Card</h2><p>${cardText(card)}</p>
     <form method="post"><button name="do" value="new_card">Use a new card${due === 0 ? "" : " and pay"}</button></form>
     ${subscriptions.map(subscriptionPart).join("")}${back}`,
  );
}

function subscriptionPart(subscription) {
  const { id, status, cancel_at_period_end, items } = subscription;
  const [{ price, current_period_end }] = items.data;
  const until = new Date(current_period_end * 1_000).toISOString().slice(0, 10);
  const hidden = `<input type="hidden" name="subscription" value="${escape(id)}">`;
  const [act, label] = cancel_at_period_end ? ["keep", "Keep the subscription"] : ["cancel", "Cancel at the end of the period"];
  const button = ["canceled", "incomplete_expired"].includes(status) ? "" : `<form method="post">${hidden}<button class="quiet" name="do" value="${act}">${label}</button></form>`;
  return `<h2>${escape(price.nickname ?? price.id)}</h2>
    <dl><div><dt>Status</dt><dd>${escape(status)}${cancel_at_period_end ? ", cancelled" : ""}</dd></div><div><dt>Period ends</dt><dd>${until}</dd></div></dl>${button}`;
}

/** The operator's page: what happens next, and what was told to the gate. */
export function operatorPage({ customers, events, isOut, told = null }) {
  const said = told ? `<p class="said" role="status">${escape(told)}</p>` : "";
  const outage = `<form method="post" action="/operator"><p>${isOut ? "The provider is down: its API does not answer, and every charge fails." : "The provider is well."}</p>
    <p class="row"><button name="do" value="${isOut ? "outage_off" : "outage_on"}">${isOut ? "End the outage" : "Begin an outage"}</button>
    <button class="quiet" name="do" value="renew_all">Renew everybody's subscription</button>
    <button class="quiet" name="do" value="retry_all">Try all failed charges again</button></p></form>`;
  const last = events.at(-1);
  const again = last ? `<form method="post" action="/operator"><button class="quiet" name="do" value="send_last">Send the last webhook again</button></form>` : "";
  const items = events.slice(-NEWEST_EVENTS).reverse().map(eventItem);
  return page(
    "The operator's page",
    `<h1>A pretend payment provider</h1><p>Nothing is charged. Press a button, and the gate is told as Stripe would tell it.</p>${said}
     ${customers.slice(0, 1).map(customerPart).join("")}
     ${customers.slice(1).map(folded).join("")}
     <h2>The provider itself</h2>${outage}
     <h2>Events</h2>${again}<ol class="events" reversed>${items.join("")}</ol>`,
  );
}

/** Everybody but the first is out of the way until asked for. */
function folded(one) {
  return `<details><summary>${escape(one.customer.name ?? one.customer.id)} (${escape(one.subscription?.status ?? "no subscription")})</summary>${customerPart(one)}</details>`;
}

function customerPart({ customer, card, subscription }) {
  const name = customer.name ?? customer.id;
  const status = subscription ? `${subscription.status}${subscription.cancel_at_period_end ? ", cancelled at the period's end" : ""}` : "none";
  const button = (what, label, look = "quiet") => `<button class="${look}" name="do" value="${what}">${label}</button>`;
  const options = DECLINE_CODES.map((code) => `<option>${code}</option>`).join("");
  const field = `code-${customer.id}`;
  return `<section aria-labelledby="${escape(customer.id)}"><h2 id="${escape(customer.id)}">${escape(name)}</h2>
    <dl><div><dt>Subscription</dt><dd>${escape(status)}</dd></div><div><dt>Card</dt><dd>${cardText(card)}</dd></div></dl>
    <form method="post" action="/operator"><input type="hidden" name="customer" value="${escape(customer.id)}">
      <p class="row">${button("pay", "Pay with a card that works", "main")}${button("expire", "The card expires, and the renewal fails")}</p>
      <p class="row"><label for="${escape(field)}">Code of a decline</label><select id="${escape(field)}" name="code">${options}</select>${button("decline", "The renewal is declined")}</p>
      <p class="row">${button("retry", "Try the charge again")}${button("give_up", "Give up on the charge")}${button("end_period", "End the period")}</p>
      <p class="row">${button("cancel_at_period_end", "Cancel at the period's end")}${button("cancel", "Cancel now")}${button("subscribe", "Subscribe again")}</p>
      <p class="row">${button("pause", "Pause")}${button("resume", "Resume")}${button("dispute", "Dispute the last charge")}${button("refund", "Refund the last charge")}</p>
    </form></section>`;
}

function eventItem({ event, state, attempts }) {
  const last = attempts.at(-1);
  const answer = last ? `${state}: the gate answered ${last.status || "nothing"} in ${Math.round(last.ms)} ms, try ${attempts.length}` : state;
  const when = new Date(event.created * 1_000).toISOString().replace(".000Z", "Z");
  return `<li><p><strong>${escape(event.type)}</strong> <span class="kind">${when}</span></p><p class="kind">${escape(answer)}</p>
    <form method="post" action="/operator"><input type="hidden" name="event" value="${escape(event.id)}"><button class="quiet" name="do" value="send" aria-label="Send ${escape(event.type)} again (${escape(event.id)})">Send again</button></form></li>`;
}

/** Any answer that is only text. */
export function messagePage(title, text) {
  return page(title, `<h1>${escape(title)}</h1><p>${escape(text)}</p><p><a href="/">The operator's page</a></p>`);
}

function cardText(card) {
  if (!card) return "None.";
  const works = card.failure === null ? "works" : `fails: ${escape(card.failure)}`;
  return `Visa ${card.last4}, ${String(card.exp_month).padStart(2, "0")}/${card.exp_year} (${works})`;
}

const money = ({ unit_amount, currency }) => amount(unit_amount, currency);
const amount = (cents, currency) => escape(new Intl.NumberFormat("en", { style: "currency", currency }).format(cents / 100));
const link = (url, text) => (url ? `<p><a class="button" href="${escape(url)}">${escape(text)}</a></p>` : "");

function escape(text) {
  return String(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function page(title, body) {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)} · Pretend provider</title>
<style>${STYLE}</style>
</head>
<body>
<header><p>Pretend provider</p></header>
<main>${body}</main>
<footer><p>A stand-in for a payment provider. Nothing here costs anything.</p></footer>
</body>
</html>
`;
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1e1b2e; --paper: #fbfaff; --accent: #4338ca; --on-accent: #fff; --soft: #57536e; --line: #8b86a8; --alarm: #9f1239; }
@media (prefers-color-scheme: dark) { :root { --ink: #f1f0f7; --paper: #16141f; --accent: #a5b4fc; --on-accent: #16141f; --soft: #b6b2c9; --line: #77728f; --alarm: #fda4af; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 46rem; background: var(--paper); color: var(--ink); font: 1.0625rem/1.55 system-ui, sans-serif; overflow-wrap: anywhere; }
header p { margin: 0; font-weight: 700; color: var(--soft); }
h1 { line-height: 1.2; }
summary { padding: .5rem 0; cursor: pointer; }
h2 { margin: 1.75rem 0 .5rem; line-height: 1.2; font-size: 1.25rem; }
a { color: var(--accent); }
section { margin-top: 1.5rem; padding: 0 1rem 1rem; border: 1px solid var(--line); border-radius: .5rem; }
dl div { display: flex; flex-wrap: wrap; gap: 0 .75rem; }
dt { color: var(--soft); }
dd { margin: 0; }
fieldset { margin: 0 0 1rem; padding: .25rem 1rem; border: 1px solid var(--line); border-radius: .5rem; min-width: 0; }
.row { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin: .75rem 0; }
.price { font-size: 1.5rem; }
.kind, footer { font-size: .9375rem; color: var(--soft); }
.alarm { color: var(--alarm); font-weight: 600; }
.said { padding: .5rem .75rem; border-left: 4px solid var(--accent); }
.events { padding-left: 1.75rem; }
.events li { margin-bottom: .75rem; }
.events p { margin: 0 0 .25rem; }
button, .button, select { font: inherit; min-height: 2.75rem; max-width: 100%; padding: .5rem 1rem; border: 1px solid var(--accent); border-radius: .4rem; }
button, .button { display: inline-block; background: var(--accent); color: var(--on-accent); text-decoration: none; cursor: pointer; }
button.quiet { background: var(--paper); color: var(--accent); }
select { background: var(--paper); color: var(--ink); border-color: var(--line); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; }
footer { margin-top: 2.5rem; border-top: 1px solid var(--line); }
`;

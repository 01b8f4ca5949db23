// What The Daily Edge sells at the pretend provider, and the readers who have bought it there.

import { startProvider } from "./provider/provider.mjs";

const PRICES = [
  { id: "price_pro_monthly", lookup_key: "pro_monthly", product: "prod_pro", name: "The Daily Edge Pro", amount: 900, features: ["premium"] },
];
const DAY_S = 86_400;
/** They only pay: of one customer's bad day nobody could tell that the provider is down. */
const OTHERS = ["Finn", "Gina", "Hana", "Ivo", "Jo"];
/** A webhook that the gate did not take is sent again after these. */
const RETRY_AFTER_MS = [1_000, 5_000, 15_000, 60_000];

/** Starts the provider; its webhooks wait until `openShop`. `trace` gets a line for each message. */
export function startShop({ port, apiKey, webhookSecret, trace }) {
  return startProvider({ port, prices: PRICES, apiKey, webhook: { secret: webhookSecret }, retryAfterMs: RETRY_AFTER_MS, trace });
}

/** Lets webhooks go to the gate: all readers subscribed last month, and have paid twice. */
export async function openShop(provider, gateUrl) {
  const { life, clock, deliveries } = provider;
  const now = clock.now();
  for (const name of ["Erin", ...OTHERS]) {
    const account = name.toLowerCase();
    const metadata = { tollgate_account: account };
    clock.moveTo(now - 40 * DAY_S);
    const customer = life.createCustomer({ name, email: `${account}@daily-edge.example`, metadata });
    const subscription = life.subscribe(customer, { price: PRICES[0].id, metadata });
    clock.moveTo(subscription.items.data[0].current_period_end);
    life.endPeriod(subscription);
  }
  clock.moveTo(now);
  deliveries.endpoint.url = `${gateUrl}/_tollgate/webhooks/stripe`;
  await deliveries.release();
}

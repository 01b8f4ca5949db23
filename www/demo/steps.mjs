// The demo's answers to try: a line to paste for each kind of answer. `npm start` prints the
// first ones, the demo's front page has all of them.

import { OPINIONS } from "./pages.mjs";

/** These few show what it is about; `npm start` prints them. */
const FIRST = 4;

/** All steps, as `{ what, command }`: for a gate, an origin behind it and a provider beside it. */
export function allSteps({ gateUrl, originUrl, providerUrl, folder }) {
  const token = (name) => `-H "Authorization: Bearer $(cat ${folder}/${name}.token)"`;
  const article = `${gateUrl}/articles/the-last-mile`;
  const headlines = `${gateUrl}/api/headlines`;
  const carol = `${gateUrl}/_tollgate/admin/accounts/-/carol`;
  const press = (...deeds) => deeds.map((deed) => `curl -s -o /dev/null -d "account=erin&do=${deed}" ${providerUrl}/operator`).join("; ");
  const erin = `curl -i ${token("erin")} ${article}`;
  const steps = [
    ["200  alice has paid: the origin sees who she is", `curl -i ${token("alice")} ${headlines}`],
    ["401  no token", `curl -i ${headlines}`],
    ["402  no token, and the route says \"offer\": what there is to buy", `curl -i ${article}`],
    ["402  bob's plan does not include long reads", `curl -i ${token("bob")} ${article}`],
    ["401  a token that has expired", `curl -i ${token("expired")} ${headlines}`],
    [
      "200, 200, 200, 402  three opinions a month are free, without signing in",
      `rm -f ${folder}/jar; for name in ${Object.keys(OPINIONS).join(" ")}; do curl -s -o /dev/null -w '%{http_code}\\n' -c ${folder}/jar -b ${folder}/jar ${gateUrl}/opinion/$name; done`,
    ],
    [
      "402  bob's five units a minute are used up",
      `for i in 1 2 3 4 5 6; do curl -s -o /dev/null -w '%{http_code}\\n' ${token("bob")} ${headlines}; done; curl -i ${token("bob")} ${headlines}`,
    ],
    ["402  carol's card has expired", `curl -i ${token("carol")} ${article}`],
    [
      "200  carol pays, and is back within seconds",
      `curl -i -X PUT ${token("admin")} -H 'Content-Type: application/json' -d '{"plan":"pro","status":"active"}' ${carol}; sleep 6; curl -i ${token("carol")} ${article}`,
    ],
    ["402  dave's subscription has ended", `curl -i ${token("dave")} ${article}`],
    ["200  erin has subscribed at the pretend provider", erin],
    ["200  her card expires, the renewal fails: a notice says until when she reads on", `${press("expire")}; sleep 11; ${erin}`],
    ["402  the provider gives up", `${press("give_up")}; sleep 11; ${erin}`],
    ["303  the way back that the answer names: the provider's page", `curl -i ${token("erin")} -H 'Accept: text/html' '${gateUrl}/_tollgate/billing/portal?return=/articles/the-last-mile'`],
    ["200  she pays there, and is back within seconds", `${press("pay")}; sleep 6; ${erin}`],
    ["402  she cancels, and her period ends", `${press("cancel_at_period_end", "end_period")}; sleep 11; ${erin}`],
    ["200  she subscribes again", `${press("subscribe")}; sleep 6; ${erin}`],
    ["200  the provider is down for everybody: nobody loses access, and the notice says so", `${press("outage_on", "renew_all")}; sleep 11; ${erin}; ${press("outage_off", "retry_all")}`],
    ["200  a webhook that comes twice changes nothing", `${press("send_last")}; ${erin}`],
    ["403  the newsroom is not for sale", `curl -i ${token("alice")} ${gateUrl}/newsroom/draft`],
    ["403  past the gate, the origin refuses", `curl -i ${originUrl}/api/headlines`],
    ["200  a stream, a line each second", `curl -N ${token("alice")} ${gateUrl}/api/stream`],
    ["206  a large file, resumable", `curl -o /dev/null -r 104857600- ${gateUrl}/files/200mb`],
    ["200  is the gate well?", `curl -i ${gateUrl}/_tollgate/health`],
  ];
  return steps.map(([what, command]) => ({ what, command }));
}

/** The steps that `npm start` prints. */
export function firstSteps(addresses) {
  return allSteps(addresses).slice(0, FIRST);
}

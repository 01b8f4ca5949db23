// Webhooks to the operator, signed as Standard Webhooks has it.

// Posts a webhook, signed with each of the keys (base64, apart by spaces), within the deadline, and
// returns the status. No redirects: only the configured host is asked.
export async function postWebhook(url, keys, id, timestamp, body, deadlineMs) {
  const text = `${id}.${timestamp}.${body}`;
  const signatures = await Promise.all(keys.split(" ").map((key) => signature(key, text)));
  const response = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "user-agent": "Tollgate",
      "webhook-id": id,
      "webhook-timestamp": timestamp,
      "webhook-signature": signatures.join(" "),
    },
    body,
    redirect: "manual",
    signal: AbortSignal.timeout(deadlineMs),
  });
  await response.body?.cancel();
  return String(response.status);
}

async function signature(key, text) {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const bytes = Uint8Array.from(atob(key), (one) => one.charCodeAt(0));
  const imported = await crypto.subtle.importKey("raw", bytes, algorithm, false, ["sign"]);
  const signed = await crypto.subtle.sign("HMAC", imported, new TextEncoder().encode(text));
  return `v1,${btoa(String.fromCharCode(...new Uint8Array(signed)))}`;
}

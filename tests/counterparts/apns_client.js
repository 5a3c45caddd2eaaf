// node-apn sends to the Apple that `apns.py` plays: apns_client.js PORT CA KEY. It prints what came of each token.
const fs = require("fs");
const apn = require("@parse/node-apn");

const [port, ca, key] = process.argv.slice(2);
const provider = new apn.Provider({
  token: { key: fs.readFileSync(key), keyId: "FGHIJ67890", teamId: "ABCDE12345" },
  address: "localhost", port: Number(port), ca: fs.readFileSync(ca), production: false, connectionRetryLimit: 0,
});

function notification(more) {
  const it = new apn.Notification({ alert: { title: "Hi", body: "Your card" }, topic: "example.bank.app", pushType: "alert" });
  return Object.assign(it, { expiry: Math.floor(Date.now() / 1000) + 60, collapseId: "d" }, more);
}

async function tell(sent, token, more = {}) {
  const { sent: taken, failed } = await provider.send(notification(more), token);
  const [no] = failed;
  const said = no ? { status: Number(no.status), reason: no.response && no.response.reason } : { status: 200, device: taken[0].device };
  console.log(JSON.stringify({ sent, ...said }));
}

(async () => {
  await tell("token", "00fc13ad");
  await tell("gone", "deadbeef");
  await tell("bad", "bad00000");
  await tell("busy", "42900000");
  await tell("topic", "00fc13ad", { topic: "another.app" });
  await tell("long", "00fc13ad", { payload: { long: "a".repeat(4096) } });
  await tell("empty", "00fc13ad", { alert: undefined, aps: {} });
  await provider.shutdown();
})();

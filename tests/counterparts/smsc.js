// A short message centre on npm's smpp. What it does is its one argument, as JSON:
//   bind     what a bind gets: "ok", a status, "hang", "close", "garbage", "nack"
//   submit   what each submit_sm gets in turn, the last one for all that follow: "ok", a status, "hang", "drop",
//            "garbage", "oversize", "nack", "wrong", "bare", "slow"
//   enquire  "ok" or "silent"
//   receipts after each message that is taken: "tlv", "text", "undelivered", or nothing
//   ids      how it numbers messages: "name" (m-1), "hex" in its answers and decimal in its receipts
//   tls      { key, cert }: files
// It says what happens as lines of JSON, and does what lines of JSON on its input ask:
//   { echo: 1 }  { deliver: { … } }  { enquire: true }  { unbind: true }  { close: true }  { raw: "hex" }
const fs = require('fs');
const readline = require('readline');
const smpp = require('smpp');

const wanted = Object.assign({ bind: 'ok', submit: ['ok'], enquire: 'ok' }, JSON.parse(process.argv[2] || '{}'));
const say = (event, more) => process.stdout.write(JSON.stringify({ event, ...more }) + '\n');
let sessions = 0;
let submits = 0;
let waiting = 0;
let answered = 0;
let latest = null;

const isStatus = (act) => /^0x/.test(act);
const hex = (buffer) => Buffer.from(buffer).toString('hex');

// A header, and a body if one is given.
function raw(id, status, sequence, body) {
  const rest = body || Buffer.alloc(0);
  const head = Buffer.alloc(16);
  [16 + rest.length, id, status, sequence].forEach((value, at) => head.writeUInt32BE(value >>> 0, at * 4));
  return Buffer.concat([head, rest]);
}

function misbehave(session, act, pdu) {
  const socket = session.socket;
  if (act === 'hang') return;
  if (act === 'close' || act === 'drop') session.destroy();
  if (act === 'garbage') socket.write('HTTP/1.1 400 Bad Request\r\n\r\n');
  if (act === 'oversize') socket.write(raw(0x80000004, 0, pdu.sequence_number).fill(0x7f, 0, 4));
  if (act === 'nack') socket.write(raw(0x80000000, 3, pdu.sequence_number));
  if (act === 'wrong') {
    const other = pdu.response({ message_id: 'none' });
    other.sequence_number += 1000;
    session.send(other);
  }
  if (act === 'bare') socket.write(raw(0x80000004, 0, pdu.sequence_number));
}

function text(message) {
  const part = Buffer.isBuffer(message) || typeof message === 'string' ? { message } : message || {};
  const words = Buffer.isBuffer(part.message) ? hex(part.message) : part.message || '';
  return { text: words, udh: (part.udh || []).map(hex) };
}

function receipt(session, id, pdu) {
  const state = wanted.receipts === 'undelivered' ? 5 : 2;
  const stat = state === 2 ? 'DELIVRD' : 'UNDELIV';
  const words = `id:${id} sub:001 dlvrd:001 submit date:2601090930 done date:2601090931 stat:${stat} err:000 text:`;
  const options = {
    source_addr: pdu.destination_addr, destination_addr: pdu.source_addr, esm_class: 4, short_message: words,
  };
  if (wanted.receipts === 'tlv') Object.assign(options, { receipted_message_id: id, message_state: state });
  session.deliver_sm(options, (answer) => say('receipt', { id, status: answer.command_status }));
}

function submitted(session, number, pdu) {
  const act = wanted.submit[Math.min(submits, wanted.submit.length - 1)];
  submits += 1;
  waiting += 1;
  say('submit', {
    session: number, act, waiting, answered,
    from: pdu.source_addr, from_ton: pdu.source_addr_ton, from_npi: pdu.source_addr_npi,
    to: pdu.destination_addr, to_ton: pdu.dest_addr_ton, to_npi: pdu.dest_addr_npi,
    service_type: pdu.service_type, esm_class: pdu.esm_class, data_coding: pdu.data_coding,
    registered_delivery: pdu.registered_delivery, validity_period: pdu.validity_period,
    ...text(pdu.short_message), payload: pdu.message_payload && text(pdu.message_payload).text,
    sar: pdu.sar_total_segments && [pdu.sar_msg_ref_num, pdu.sar_total_segments, pdu.sar_segment_seqnum],
  });
  const answer = (options) => {
    waiting -= 1;
    answered += 1;
    session.send(pdu.response(options));
  };
  if (isStatus(act)) return answer({ command_status: Number(act) });
  if (act !== 'ok' && act !== 'slow') return misbehave(session, act, pdu);
  const id = wanted.ids === 'hex' ? (0xabc00 + submits).toString(16).toUpperCase() : `m-${submits}`;
  const take = () => {
    answer({ message_id: id });
    if (wanted.receipts) receipt(session, wanted.ids === 'hex' ? String(parseInt(id, 16)) : id, pdu);
  };
  return act === 'slow' ? setTimeout(take, 100) : take();
}

const options = wanted.tls
  ? { key: fs.readFileSync(wanted.tls.key), cert: fs.readFileSync(wanted.tls.cert) }
  : {};
const server = smpp.createServer(options, (session) => {
  const number = (sessions += 1);
  latest = session;
  say('session', { session: number });
  session.on('error', () => {});
  session.on('close', () => say('closed', { session: number }));
  session.on('bind_transceiver', (pdu) => {
    say('bind', {
      session: number, system_id: pdu.system_id, password: pdu.password, system_type: pdu.system_type,
      version: pdu.interface_version,
    });
    if (isStatus(wanted.bind)) return session.send(pdu.response({ command_status: Number(wanted.bind) }));
    if (wanted.bind !== 'ok') return misbehave(session, wanted.bind, pdu);
    return session.send(pdu.response());
  });
  session.on('submit_sm', (pdu) => submitted(session, number, pdu));
  session.on('enquire_link', (pdu) => {
    say('enquire', { session: number });
    if (wanted.enquire === 'ok') session.send(pdu.response());
  });
  session.on('unbind', (pdu) => {
    say('unbind', { session: number });
    session.send(pdu.response());
    session.close();
  });
  session.on('generic_nack', (pdu) => say('nacked', { status: pdu.command_status }));
  session.on('unbind_resp', () => session.close());
});
server.listen(0, '127.0.0.1', () => say('listening', { port: server.address().port }));

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const asked = JSON.parse(line);
  if (asked.deliver) {
    const message = asked.deliver.short_message;
    if (message && message.udh) message.udh = Buffer.from(message.udh, 'hex');
    latest.deliver_sm(asked.deliver, (answer) => say('delivered', { status: answer.command_status }));
  }
  if (asked.echo) say('echo', { echo: asked.echo });
  if (asked.enquire) latest.enquire_link(() => say('alive'));
  if (asked.unbind) latest.unbind(() => say('unbound'));
  if (asked.close) latest.destroy();
  if (asked.raw) latest.socket.write(Buffer.from(asked.raw, 'hex'));
}).on('close', () => process.exit(0));

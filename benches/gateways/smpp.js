// `centre PORT` takes every message; `client PORT MESSAGES SESSIONS WINDOW` sends so many.
const smpp = require('smpp');

const [role, port, messages, sessions, window] = process.argv.slice(2).map((word, at) => (at ? Number(word) : word));

if (role === 'centre') {
  smpp.createServer({}, (session) => {
    let taken = 0;
    session.on('error', () => {});
    session.on('bind_transceiver', (pdu) => session.send(pdu.response()));
    session.on('enquire_link', (pdu) => session.send(pdu.response()));
    session.on('unbind', (pdu) => { session.send(pdu.response()); session.close(); });
    session.on('submit_sm', (pdu) => session.send(pdu.response({ message_id: String((taken += 1)) })));
  }).listen(port, '127.0.0.1');
} else {
  let left = messages;
  let answers = 0;
  const text = 'x'.repeat(100);
  for (let n = 0; n < sessions; n += 1) {
    const session = smpp.connect({ host: '127.0.0.1', port }, () => {
      const next = () => {
        if (left <= 0) return;
        left -= 1;
        session.submit_sm({ source_addr: '777', destination_addr: '15550100', data_coding: 0, short_message: text }, (answer) => {
          if (answer.command_status !== 0) process.exit(1);
          answers += 1;
          if (answers === messages) process.exit(0);
          next();
        });
      };
      session.bind_transceiver({ system_id: 'drum', password: 's3cret' }, () => {
        for (let at = 0; at < window; at += 1) next();
      });
    });
  }
}

/*! Drumbeat: tells what visitors of these pages do, once they agree. No cookie, no dependency. */
(function () {
  'use strict';
  var PLACE = 'drumbeat-visitor';
  var script = document.currentScript;
  var address = new URL('collect', script.src).href;
  var agreed = false;
  var memory = null;
  var sent = Promise.resolve();

  // Global Privacy Control (https://w3c.github.io/gpc/): whoever says so is never told of.
  function refused() {
    return navigator.globalPrivacyControl === true;
  }

  function chance() {
    var bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, function (byte) {
      return ('0' + byte.toString(16)).slice(-2);
    }).join('');
  }

  function visitor() {
    try {
      memory = localStorage.getItem(PLACE) || memory;
    } catch (blocked) { /* then it lives as long as the page */ }
    if (!/^v-[0-9a-f]{32}$/.test(memory)) memory = 'v-' + chance();
    try {
      localStorage.setItem(PLACE, memory);
    } catch (blocked) { /* as before */ }
    return memory;
  }

  function forget() {
    memory = null;
    try {
      localStorage.removeItem(PLACE);
    } catch (blocked) { /* nothing was kept */ }
  }

  // `text/plain` needs no question to the server beforehand (https://fetch.spec.whatwg.org/#cors-safelisted-request-header).
  function tell(body) {
    if (!agreed) return Promise.resolve(null);
    body.visitor = visitor();
    var telling = fetch(address, {
      method: 'POST', mode: 'cors', credentials: 'omit', keepalive: true, referrerPolicy: 'no-referrer',
      headers: { 'Content-Type': 'text/plain' }, body: JSON.stringify(body)
    }).catch(function () { return null; });
    sent = Promise.all([sent, telling]);
    return telling;
  }

  function bare(url) {
    return url ? url.split(/[?#]/)[0] : undefined;
  }

  function track(kind, parts) {
    return tell({ events: [Object.assign({ id: chance(), kind: kind }, parts)] });
  }

  function page() {
    return track('page-visited', { page: {
      url: bare(location.href), title: document.title || undefined, referrer: bare(document.referrer)
    } });
  }

  function consent(granted) {
    var before = agreed;
    agreed = granted === true && !refused();
    if (!agreed) forget();
    return agreed && !before && script.dataset.page !== 'off' ? page() : Promise.resolve(null);
  }

  // Somebody else was recognised on this device before: they keep what is theirs.
  function identify(proof) {
    return tell({ identify: proof }).then(function (answer) {
      if (!answer || answer.status !== 409) return answer;
      forget();
      return tell({ identify: proof });
    });
  }

  var early = window.drumbeat;
  var drumbeat = window.drumbeat = {
    consent: consent, track: track, page: page, identify: identify, forget: forget,
    sent: function () { return sent; }
  };
  if (script.dataset.consent === 'granted') consent(true);
  if (Array.isArray(early)) early.forEach(function (call) {
    drumbeat[call[0]].apply(null, call.slice(1));
  });
})();

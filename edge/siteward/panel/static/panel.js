// Small helpers around htmx: ask before acting, say when the stream is lost, show times in the reader's own zone.
"use strict";
(function () {
  const SILENT_MS = 8000;
  let heard = Date.now();
  let asking = null;
  const held = new Map();

  function localise(root) {
    const language = document.documentElement.lang;
    for (const node of root.querySelectorAll("time[datetime]")) {
      const at = new Date(node.dateTime);
      if (Number.isNaN(at.getTime())) continue;
      const time = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
      const day = { year: "numeric", month: "2-digit", day: "2-digit" };
      const shape = node.dataset.form === "time" ? time : Object.assign(day, time);
      node.textContent = new Intl.DateTimeFormat(language === "zh" ? "zh-CN" : "en-GB", shape).format(at);
    }
  }

  function showLost(lost) {
    const banner = document.getElementById("lost");
    if (!banner || banner.hidden === !lost) return;
    banner.textContent = lost ? document.body.dataset.lost : "";
    banner.hidden = !lost;
    document.body.classList.toggle("old", lost);
  }

  // What is there already stays: a swap would close an open form and take the focus away.
  function same(node, html) {
    const fresh = document.createElement("template");
    fresh.innerHTML = html;
    const now = node.cloneNode(true);
    for (const open of now.querySelectorAll("details[open]")) open.removeAttribute("open");
    return now.innerHTML.trim() === fresh.innerHTML.trim();
  }

  function ask(event) {
    const form = event.detail.elt;
    if (!event.detail.question || !form.dataset.yes) return;
    event.preventDefault();
    const dialog = document.getElementById("sure");
    const yes = dialog.querySelector("button[value=yes]");
    const agreed = form.querySelector("input[data-sure]:checked");
    document.getElementById("sure-text").textContent = event.detail.question + (agreed ? " " + agreed.dataset.sure : "");
    yes.textContent = form.dataset.yes;
    yes.className = form.dataset.kind === "stop" ? "stop" : "main";
    dialog.returnValue = "no";
    asking = form;
    dialog.onclose = function () {
      asking = null;
      if (dialog.returnValue === "yes") event.detail.issueRequest(true);
      held.forEach(function (html, node) { htmx.swap(node, html, { swapStyle: "innerHTML", swapDelay: 0, settleDelay: 0 }); });
      held.clear();
    };
    dialog.showModal();
    yes.focus();
  }

  document.addEventListener("htmx:confirm", ask);
  document.addEventListener("htmx:sseBeforeMessage", function (event) {
    heard = Date.now();
    showLost(false);
    if (event.detail.type === "reload" || event.detail.type === "gone") {
      event.preventDefault();
      location.reload();
    } else if (asking && event.target.contains(asking)) {
      // Whoever is being asked about a form answers for that form; what is new comes behind the answer.
      held.set(event.target, event.detail.data);
      event.preventDefault();
    } else if (same(event.target, event.detail.data)) {
      event.preventDefault();
    }
  });
  document.addEventListener("htmx:sseMessage", function (event) { localise(event.target); });
  document.addEventListener("htmx:afterSwap", function (event) { localise(event.target); });
  // Refusals come as pages with a status of 400 and more: they are shown like every other answer.
  document.addEventListener("htmx:beforeSwap", function (event) {
    // Somebody reads the table: the page looks again when it is closed.
    if (event.detail.target.id === "fresh" && event.detail.target.querySelector("details[open]")) event.detail.shouldSwap = false;
    if (event.detail.xhr.status === 403) { event.detail.shouldSwap = true; event.detail.isError = false; }
  });
  window.addEventListener("pageshow", function (event) { if (event.persisted) location.reload(); });
  document.addEventListener("visibilitychange", function () { if (!document.hidden) heard = Date.now(); });
  document.addEventListener("DOMContentLoaded", function () {
    localise(document);
    setInterval(function () { showLost(Date.now() - heard > SILENT_MS); }, 1000);
  });
})();

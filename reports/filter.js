// Optional: finds claims by text and verdict, spares the keyboard what does not scroll. The page is complete without it.
(() => {
  const form = document.querySelector("form.filter");
  if (!form) return;
  form.hidden = false;
  const claims = [...document.querySelectorAll("article.claim")];
  const texts = new Map(claims.map((claim) => [claim, claim.textContent.toLowerCase()]));
  const apply = () => {
    const words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = [...form.querySelectorAll("[name=verdict]:checked")].map((box) => box.value);
    let shown = 0;
    for (const claim of claims) {
      const fits = claim.dataset.verdicts.split(" ").some((verdict) => wanted.includes(verdict))
        && words.every((word) => texts.get(claim).includes(word));
      claim.hidden = !fits;
      document.querySelector(`.entry[data-claim="${claim.id}"]`).hidden = !fits;
      shown += fits;
    }
    form.querySelector("output").textContent =
      shown === claims.length ? "" : `${shown} of ${claims.length} claims shown`;
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  const scrollers = () => {
    for (const part of document.querySelectorAll(".scroll")) {
      part.tabIndex = part.scrollWidth > part.clientWidth ? 0 : -1;
    }
  };
  scrollers();
  addEventListener("resize", scrollers);
  document.addEventListener("toggle", scrollers, true);
})();

// The till's camera, where the browser can read codes itself; elsewhere the digits are typed.
(async () => {
  const place = document.querySelector("[data-camera]");
  if (!place || !("BarcodeDetector" in window) || !navigator.mediaDevices) return;
  const known = await BarcodeDetector.getSupportedFormats();
  if (!known.includes("qr_code")) return;
  const button = place.querySelector("button");
  const video = place.querySelector("video");
  const field = place.closest("form").querySelector("input[name=code]");
  const detector = new BarcodeDetector({ formats: ["qr_code"] });
  place.hidden = false;

  const stop = () => {
    if (video.srcObject) video.srcObject.getTracks().forEach((track) => track.stop());
    video.srcObject = null;
    video.hidden = true;
  };
  const look = async () => {
    if (!video.srcObject) return;
    const found = await detector.detect(video).catch(() => []);
    if (found.length) {
      field.value = found[0].rawValue;
      stop();
      field.form.requestSubmit();
      return;
    }
    setTimeout(look, 150);
  };
  button.addEventListener("click", async () => {
    if (video.srcObject) { stop(); return; }
    try {
      video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    } catch { place.hidden = true; field.focus(); return; }
    video.hidden = false;
    await video.play();
    look();
  });
  window.addEventListener("pagehide", stop);
})();

// Asks the device where it is, once somebody presses the button, and tells it as Chinese maps do.
// Nothing is sent from here: a list is sorted in the page, two fields are filled in, and whoever
// pressed the button sends them or not.
const position = (() => {
  // Show a box with its button where the device can tell; `then` gets latitude and longitude.
  function offer(box, then) {
    if (!navigator.geolocation) return;
    const say = (what) => { box.querySelector("[role=status]").textContent = box.dataset[what]; };
    box.hidden = false;
    box.querySelector("button").addEventListener("click", () => {
      say("asking");
      navigator.geolocation.getCurrentPosition(
        (found) => { then(toGcj(found.coords.latitude, found.coords.longitude)); say("done"); },
        () => say("failed"),
        { timeout: 15000, maximumAge: 60000 },
      );
    });
  }

  // Devices tell WGS-84; shops are entered in GCJ-02, which lies some hundred metres beside it.
  function toGcj(latitude, longitude) {
    const axis = 6378245, flat = 0.00669342162296594323, pi = Math.PI;
    const x = longitude - 105, y = latitude - 35;
    const waves = (value) => (20 * Math.sin(6 * x * pi) + 20 * Math.sin(2 * x * pi)) * 2 / 3 + value;
    const north = waves(-100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * Math.sqrt(Math.abs(x))
      + (20 * Math.sin(y * pi) + 40 * Math.sin(y * pi / 3)) * 2 / 3
      + (160 * Math.sin(y * pi / 12) + 320 * Math.sin(y * pi / 30)) * 2 / 3);
    const east = waves(300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * Math.sqrt(Math.abs(x))
      + (20 * Math.sin(x * pi) + 40 * Math.sin(x * pi / 3)) * 2 / 3
      + (150 * Math.sin(x * pi / 12) + 300 * Math.sin(x * pi / 30)) * 2 / 3);
    const sine = Math.sin(latitude * pi / 180);
    const bent = 1 - flat * sine * sine;
    return [
      latitude + north * 180 / (axis * (1 - flat) / (bent * Math.sqrt(bent)) * pi),
      longitude + east * 180 / (axis / Math.sqrt(bent) * Math.cos(latitude * pi / 180) * pi),
    ];
  }

  const asked = document.getElementById("position");
  if (asked) {
    offer(asked, (here) => ["latitude", "longitude"].forEach((name, at) => {
      document.querySelector(`[name=${name}]`).value = here[at].toFixed(6);
    }));
  }
  return { offer };
})();

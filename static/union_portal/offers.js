// Draws the shops of the list as points on a map without tiles, and sorts the list by what is
// near. Where the visitor is stays in this page: it is sent nowhere and kept nowhere.
(() => {
  const points = JSON.parse(document.getElementById("points").textContent)
    .map((point) => ({ ...point, at: point.at.map(Number) }));

  const place = document.getElementById("map");
  if (place && points.length && window.L) {
    place.closest("[hidden]").hidden = false;
    draw(place, points);
  }

  const near = document.getElementById("near");
  if (near && points.length && navigator.geolocation) {
    near.hidden = false;
    near.querySelector("button").addEventListener("click", () => {
      say(near, "asking");
      navigator.geolocation.getCurrentPosition(
        (found) => { sort(toGcj(found.coords.latitude, found.coords.longitude)); say(near, "done"); },
        () => say(near, "failed"),
        { timeout: 15000, maximumAge: 60000 },
      );
    });
  }

  function say(box, what) {
    box.querySelector("[role=status]").textContent = box.dataset[what];
  }

  function draw(element, shown) {
    const map = L.map(element, { attributionControl: false, scrollWheelZoom: false, zoomControl: false });
    L.control.zoom({ zoomInTitle: element.dataset.closer, zoomOutTitle: element.dataset.further }).addTo(map);
    L.control.scale({ imperial: false }).addTo(map);
    const shops = new Map();
    for (const point of shown) {
      const key = point.at.join();
      shops.set(key, [...(shops.get(key) || []), point]);
    }
    for (const offers of shops.values()) {
      const label = offers.length > 1 ? `${offers[0].number}+` : `${offers[0].number}`;
      const icon = L.divIcon({ className: "map-pin", html: label, iconSize: [30, 30] });
      L.marker(offers[0].at, { icon, zIndexOffset: -1000 * offers[0].number, title: offers.map((one) => one.name).join("; ") })
        .bindPopup(listed(offers), { closeButton: false })
        .addTo(map);
    }
    map.fitBounds([...shops.values()].map((offers) => offers[0].at), { padding: [30, 30], maxZoom: 14 });
  }

  function listed(offers) {
    const list = document.createElement("ul");
    for (const one of offers) {
      const link = document.createElement("a");
      link.href = document.getElementById("map").dataset.offer.replace("0", one.offer);
      link.textContent = `${one.number}. ${one.name}`;
      list.appendChild(document.createElement("li")).appendChild(link);
    }
    return list;
  }

  function sort(here) {
    const list = document.getElementById("offers");
    const rows = [...list.children].map((row) => {
      const mine = points.filter((point) => String(point.offer) === row.dataset.offer);
      return { row, metres: Math.min(...mine.map((point) => apart(here, point.at))) };
    });
    rows.sort((one, other) => one.metres - other.metres);
    for (const { row, metres } of rows) {
      row.querySelector("[data-distance]").textContent = told(metres);
      list.appendChild(row);
    }
  }

  function told(metres) {
    if (!Number.isFinite(metres)) return "";
    return metres < 1000 ? `${Math.round(metres / 10) * 10} m` : `${(metres / 1000).toFixed(1)} km`;
  }

  // Metres between two points on a sphere.
  function apart([latitude, longitude], [other, others]) {
    const radians = Math.PI / 180;
    const half = Math.sin((other - latitude) * radians / 2) ** 2
      + Math.cos(latitude * radians) * Math.cos(other * radians)
      * Math.sin((others - longitude) * radians / 2) ** 2;
    return 2 * 6371000 * Math.asin(Math.sqrt(half));
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
})();

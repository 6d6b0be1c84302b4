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
  if (near && points.length) position.offer(near, sort);

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
      const mine = points
        .filter((point) => String(point.offer) === row.dataset.offer)
        .map((point) => ({ shop: point.shop, metres: apart(here, point.at) }))
        .sort((one, other) => one.metres - other.metres);
      return { row, shop: mine[0]?.shop, metres: mine[0]?.metres ?? Infinity };
    });
    rows.sort((one, other) => one.metres - other.metres);
    for (const { row, shop, metres } of rows) {
      // The distance is that of the nearest shop, so that one is named.
      if (shop) row.querySelector("[data-shop]").textContent = shop;
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
})();

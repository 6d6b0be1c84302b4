// allauth reports what the browser refuses as an event; without this it stays in the console.
document.addEventListener("allauth.error", (event) => {
  const told = document.getElementById("passkey-refused");
  if (!told) return;
  event.preventDefault();
  told.hidden = false;
  told.scrollIntoView({ block: "nearest" });
});

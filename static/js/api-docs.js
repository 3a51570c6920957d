// Draws the API's documentation. "Try it out" acts as the person who is signed in, so it sends
// the CSRF token, and only ever to this server.
"use strict";

const root = document.getElementById("api");

window.SwaggerUIBundle({
  url: root.dataset.schema,
  domNode: root,
  deepLinking: true,
  docExpansion: "list",
  validatorUrl: null,
  requestInterceptor: (request) => {
    const url = new URL(request.url, document.baseURI);
    if (url.origin === window.location.origin) {
      request.headers["X-CSRFToken"] = root.dataset.csrf;
    }
    return request;
  },
});

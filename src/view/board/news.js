
// --- News

// A page that is served asks where it came from, and begins anew where it is: what is shown stands in its address.
async function follow(version) {
  for (;;) {
    const answer = await fetch(`news?${version}`).catch(() => null);
    if (answer && answer.status === 200) return location.reload();
    if (!answer || answer.status !== 204) return byId('age').append('; not kept up to date any more');
  }
}


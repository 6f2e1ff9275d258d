/** What the one who embeds asked for in the query: `strip=0`, `caption=0`, `theme=dark` or `theme=light`. */

const asked = new URLSearchParams(location.search);
const root = document.documentElement;
root.classList.toggle('no-strip', asked.get('strip') === '0');
root.classList.toggle('no-caption', asked.get('caption') === '0');
const theme = asked.get('theme');
if (theme === 'dark' || theme === 'light') root.style.colorScheme = theme;

export {};

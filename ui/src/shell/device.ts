const browsers: [RegExp, string][] = [
  [/\bEdg(e|A|iOS)?\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\bFirefox\/|\bFxiOS\//, 'Firefox'],
  [/\bChrome\/|\bCriOS\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
];
const systems: [RegExp, string][] = [
  [/\biPhone\b/, 'an iPhone'],
  [/\biPad\b/, 'an iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bMac OS X\b|\bMacintosh\b/, 'a Mac'],
  [/\bLinux\b/, 'Linux'],
];
const named = (agent: string, all: [RegExp, string][]) => all.find(([form]) => form.test(agent))?.[1];

/** A browser as a person knows it, such as Chrome on Windows; what is none stays as it is. */
export function device(agent: string): string {
  const browser = named(agent, browsers);
  if (!browser) return agent.slice(0, 80) || 'Unknown browser';
  const system = named(agent, systems);
  return system ? `${browser} on ${system}` : browser;
}

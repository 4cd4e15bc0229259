/** The time zones that the browser knows, by name. */
export const zones = (): string[] => [...new Set([...Intl.supportedValuesOf('timeZone'), 'UTC'])].toSorted();

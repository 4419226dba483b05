/** A row as it is put together: what a new one needs may not be there yet. */
export type Draft<E> = Partial<Omit<E, 'key'>> & { readonly code: string };

// allowed
export * from '@onepool/testing-servers';

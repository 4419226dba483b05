// allowed
export * from '@onepool/simulator';

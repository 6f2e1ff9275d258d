import { MemoryStore } from '../../pipeline/store/memory.ts';
import { keepsTheStoreContract } from './contract.ts';

keepsTheStoreContract('MemoryStore', () => Promise.resolve(new MemoryStore()));

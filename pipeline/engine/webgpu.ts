/**
 * onnxruntime's WebGPU provider as an engine: graphics cards through Vulkan, Metal or Direct3D 12. What a run makes stays
 * on the device. What is uploaded goes there with the first run that it is fed to, and stays there from the second on:
 * then somebody feeds it again and again.
 */

import { type InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { GraphBuilder } from '../network/build.ts';
import type { DataType, Graph, Tensor } from '../network/graph.ts';
import type { Engine, Program, Value } from './engine.ts';
import { commonForms, inOperationsOf } from './forms.ts';
import { graphicsDevice } from './graphics.ts';
import { cpuEngine, openSession, read, runSession } from './onnxruntime.ts';

const where = 'on the graphics card';

/** A tensor, and how often it was fed. */
interface Resident {
  tensor: OrtTensor;
  fed: number;
}

const toValue = (tensor: OrtTensor): Value => ({ tensor, fed: 0 }) satisfies Resident as unknown as Value;
const residentOf = (value: Value): Resident => value as unknown as Resident;
const isOnHost = ({ location }: OrtTensor): boolean => location === 'cpu';

/**
 * The engine of the first graphics card.
 * @param alone Refuse a graph of which a node would run on the CPU.
 */
export function webgpuEngine({ alone = false } = {}): Engine {
  const sessionOf = (graph: Graph, outputs: 'gpu-buffer' | 'cpu'): Promise<InferenceSession> =>
    openSession(graph, where, {
      // The provider's own layout, NHWC, would put a transpose on either side of every convolution.
      executionProviders: [{ name: 'webgpu', preferredLayout: 'NCHW' }],
      preferredOutputLocation: outputs,
      ...(alone ? { extra: { session: { disable_cpu_ep_fallback: '1' } } } : {}),
    });
  const copies = new Map<string, Promise<InferenceSession>>();
  /** A copy of the tensor there. A run is the one way: reading a tensor of the device ends the process. */
  const copy = async (tensor: OrtTensor, to: 'gpu-buffer' | 'cpu'): Promise<OrtTensor> => {
    const rank = tensor.dims.length;
    const key = `${tensor.type} ${rank} ${to}`;
    const session = copies.get(key) ?? sessionOf(identity(tensor.type as DataType, rank), to);
    copies.set(key, session);
    return (await runSession(await session, { from: tensor }, where))['copy'] as OrtTensor;
  };

  return {
    name: 'webgpu',
    device: graphicsDevice(),
    lowering: { maxPool: 'compare' },
    host: cpuEngine(),
    upload: ({ type, data, dims }) => toValue(new OrtTensor(type, data, dims)),
    async download(value): Promise<Tensor> {
      const { tensor } = residentOf(value);
      return read(isOnHost(tensor) ? tensor : await copy(tensor, 'cpu'));
    },
    free(values) {
      for (const value of values) residentOf(value).tensor.dispose();
    },
    async compile(graph): Promise<Program> {
      const session = await sessionOf(inOperationsOf(graph, commonForms), 'gpu-buffer');
      return {
        async run(feeds) {
          const fed: Record<string, OrtTensor> = {};
          for (const [name, value] of feeds) {
            const resident = residentOf(value);
            if (resident.fed++ > 0 && isOnHost(resident.tensor)) {
              resident.tensor = await copy(resident.tensor, 'gpu-buffer');
            }
            fed[name] = resident.tensor;
          }
          const results = await runSession(session, fed, where);
          return new Map(Object.entries(results).map(([name, tensor]) => [name, toValue(tensor)]));
        },
        release: () => session.release(),
      };
    },
  };
}

function identity(type: DataType, rank: number): Graph {
  const build = new GraphBuilder();
  const from = build.input('from', new Array<null>(rank).fill(null), type);
  return build.graph([build.add('Identity', [from], {}, 'copy')]);
}

// A chat server with rooms. It ends gracefully on Ctrl-C and SIGTERM: says so, and waits for its clients.
// Run it: deno run --allow-net examples/io/chat_server.ts [PORT]
// and talk to it with: nc 127.0.0.1 6667

import process from "node:process";
import * as asyncio from "../../mod.ts";

const LOBBY = "lobby";

// What a client that does not read may leave waiting before it is dropped.
const MAX_WAITING = 100;

/** One who takes part. What is said to it waits in a queue, so that a slow reader holds up no one else. */
class Member {
  name: string;
  room = LOBBY;
  readonly outgoing = new asyncio.Queue<string>(MAX_WAITING);

  constructor(name: string) {
    this.name = name;
  }

  tell(line: string): void {
    try {
      this.outgoing.put_nowait(`${line}\n`);
    } catch (error) {
      if (error instanceof asyncio.QueueFull) this.outgoing.shutdown(true);
      else if (!(error instanceof asyncio.QueueShutDown)) throw error;
    }
  }
}

/** The rooms and their members. */
export class ChatServer {
  readonly #members = new Set<Member>();
  readonly #stopping = new asyncio.Event();
  #guests = 0;
  #server: asyncio.Server | null = null;

  /** Starts to listen; resolves to the address. */
  async start(host: string, port: number): Promise<asyncio.Address> {
    this.#server = await asyncio.start_server(
      (reader, writer) => this.#serve(reader, writer),
      host,
      port,
      { limit: 1024 },
    );
    return this.#server.sockets[0]!.getsockname();
  }

  /** Accepts no more clients, says goodbye, and waits `grace` seconds at most for those that are left. */
  async stop(grace = 5): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    server.close();
    this.#stopping.set();
    try {
      await asyncio.wait_for(server.wait_closed(), grace);
    } catch (error) {
      if (!(error instanceof asyncio.TimeoutError)) throw error;
      server.abort_clients();
      await server.wait_closed();
    }
  }

  #say(room: string, line: string, except: Member | null = null): void {
    for (const member of this.#members) {
      if (member.room === room && member !== except) member.tell(line);
    }
  }

  async #serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter): Promise<void> {
    const member = new Member(`guest${++this.#guests}`);
    this.#members.add(member);
    member.tell(`Welcome, ${member.name}. /nick NAME, /join ROOM, /who and /quit are commands.`);
    this.#say(LOBBY, `* ${member.name} has come`, member);
    const { name } = member; // tasks are named for who looks at them while they run
    asyncio.current_task()?.set_name(name);
    const sending = asyncio.create_task(() => this.#send(member, writer), {
      name: `${name} sends`,
    });
    try {
      await asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
        const reading = group.create_task(() => this.#read(member, reader), {
          name: `${name} reads`,
        });
        const stopping = group.create_task(this.#stopping.wait(), { name: `${name} stops` });
        await asyncio.wait([reading, stopping, sending], {
          return_when: asyncio.FIRST_COMPLETED,
        });
        reading.cancel();
        stopping.cancel();
      });
      if (this.#stopping.is_set()) member.tell("* The server is being shut down. Goodbye!");
    } finally {
      this.#members.delete(member);
      this.#say(member.room, `* ${member.name} has gone`);
      member.outgoing.shutdown();
      await asyncio.wait([sending]);
      writer.close();
    }
  }

  async #send(member: Member, writer: asyncio.StreamWriter): Promise<void> {
    try {
      for await (const line of member.outgoing) {
        writer.write(line);
        await writer.drain();
      }
    } catch (error) {
      if (!(error instanceof asyncio.ConnectionError)) throw error;
    }
  }

  async #read(member: Member, reader: asyncio.StreamReader): Promise<void> {
    const decoder = new TextDecoder();
    try {
      for await (const line of reader) {
        const text = decoder.decode(line).trim();
        if (text === "/quit") return;
        if (text !== "") this.#handle(member, text);
      }
    } catch (error) {
      if (error instanceof asyncio.ValueError) member.tell("* That line was too long.");
      else if (!(error instanceof asyncio.ConnectionError)) throw error;
    }
  }

  #handle(member: Member, text: string): void {
    const [, command, argument = ""] = text.match(/^\/(\w+)\s*(.*)$/) ?? [];
    switch (command) {
      case undefined:
        this.#say(member.room, `<${member.name}> ${text}`, member);
        return;
      case "nick":
        if (argument === "" || [...this.#members].some(({ name }) => name === argument)) {
          member.tell(`* '${argument}' is not free.`);
          return;
        }
        this.#say(member.room, `* ${member.name} is ${argument} now`);
        member.name = argument;
        return;
      case "join":
        this.#say(member.room, `* ${member.name} has gone to ${argument}`, member);
        member.room = argument || LOBBY;
        this.#say(member.room, `* ${member.name} has come`);
        return;
      case "who": {
        const here = [...this.#members].filter(({ room }) => room === member.room);
        member.tell(`* ${member.room}: ${here.map(({ name }) => name).join(", ")}`);
        return;
      }
      default:
        member.tell(`* There is no command /${command}.`);
    }
  }
}

async function main(port: number): Promise<void> {
  const chat = new ChatServer();
  console.log(`Chat on ${JSON.stringify(await chat.start("127.0.0.1", port))}`);
  const signal = new asyncio.Event();
  const loop = asyncio.get_running_loop();
  for (const name of ["SIGINT", "SIGTERM"]) loop.add_signal_handler(name, () => signal.set());
  await signal.wait();
  console.log("Shutting down");
  await chat.stop();
}

if (import.meta.main) await asyncio.run(() => main(Number(process.argv[2] ?? 6667)));

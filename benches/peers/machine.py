"""One timed run on a machine that may not be ours alone: what other processes took while it ran is noted."""

import json, os, re, subprocess, threading, time

CORES, TICK, PAGE = os.cpu_count(), os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")


LEVELS = {"AVX-512": {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}, "AVX2": {"avx2", "fma"}}


def describe(march):
    """The processor's name, its cores and its level of vector instructions, and for what the C peers are built."""
    with open("/proc/cpuinfo") as f:
        text = f.read()
    name = re.search(r"model name\s*: (.*)", text)
    flags = re.search(r"flags\s*: (.*)", text)
    has = set(flags.group(1).split()) if flags else set()
    level = next((level for level, needs in LEVELS.items() if needs <= has), "no AVX2")
    peers = "for this processor" if march == "native" else f"for {march}"
    return f"{name.group(1) if name else 'unknown processor'}, {CORES} cores, {level}; the C peers are built {peers}"


def busy():
    """CPU seconds since the start of the machine, of all processes and of the hypervisor (steal)."""
    with open("/proc/stat") as f:
        ticks = [int(x) for x in f.readline().split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / TICK  # all but idle and iowait


def own():
    """CPU seconds of this process and of its children that have ended."""
    t = os.times()
    return t.user + t.system + t.children_user + t.children_system


def wait_until_quiet(limit):
    """Waits, but at most `limit` seconds, until others use under 3 % of the machine for a second."""
    end = time.time() + limit
    while time.time() < end:
        before, mine, start = busy(), own(), time.time()
        time.sleep(1)
        if (busy() - before - (own() - mine)) / (time.time() - start) / CORES < 0.03:
            return


def memory(root):
    """Bytes that a process and its descendants hold."""
    parent, held = {}, {}
    for p in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{p}/stat") as f:
                parent[int(p)] = int(f.read().rsplit(")", 1)[1].split()[1])
            with open(f"/proc/{p}/statm") as f:
                held[int(p)] = int(f.read().split()[1]) * PAGE
        except (OSError, IndexError):
            pass  # it has ended meanwhile
    total, todo = 0, [root]
    while todo:
        p = todo.pop()
        total += held.get(p, 0)
        todo += [child for child, of in parent.items() if of == p]
    return total


def run(command, wait=10, limit=290):
    """Runs a command; its line of JSON, with wall and CPU seconds, peak memory and the share that others took."""
    wait_until_quiet(wait)
    before, mine, start, peak = busy(), own(), time.perf_counter(), 0
    p = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    killer = threading.Timer(limit, p.kill)
    killer.start()
    texts = {}
    readers = [
        threading.Thread(target=lambda pipe=pipe, name=name: texts.update({name: pipe.read()}))
        for name, pipe in (("out", p.stdout), ("err", p.stderr))
    ]
    for reader in readers:
        reader.start()
    while p.poll() is None:
        peak = max(peak, memory(p.pid))
        time.sleep(0.02)
    wall = time.perf_counter() - start
    killer.cancel()
    for reader in readers:
        reader.join()
    cpu = own() - mine
    lines = [line for line in texts["out"].splitlines() if line.startswith("{")]
    result = (
        json.loads(lines[-1]) if lines and p.returncode == 0 else {"failed": p.returncode, "said": texts["err"][-2000:]}
    )
    foreign = max(0, busy() - before - cpu) / (wall * CORES)
    return dict(result, wall_s=round(wall, 3), cpu_s=round(cpu, 2), rss_mb=round(peak / 1e6), foreign=round(foreign, 3))

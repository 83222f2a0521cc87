// SPDX-License-Identifier: Apache-2.0
// A web server with four tasks: the network, a counter with a tick of its own, a reporter that tells the logger of
// requests, and one that computes. /compute and /crash are there to be tried: the first has a task run without ever
// waiting, which the other tasks do not notice; the second ends this life, which no other partition notices.
#include "http.h"
#include "interface.h"
#include "parclose.h"
#include "tasks.h"

#define PORT 80u
#define GATEWAY 2u
#define HOST_PORT 8065u        /* and our address: where the layout's `--net` shows us on the host */
#define TICK_NS 10000000ull    /* of the counter */
#define REPORT_NS 250000000ull /* of the reporter */
#define COMPUTE_NS 2000000000ull
#define LOOK_NS 5000000ull /* of the computer: whether there is something to compute */
#define NOWHERE ((volatile int *)0x10)

static struct peer logger;
static uint64_t ticks, late, requests, reports_lost;
static uint64_t compute_until, computations;
static volatile bool computing;
static bool end_wanted;

/* --- pages --- */

static const char front[] =
    "<!doctype html>\n<title>%s</title>\n"
    "<h1>This page comes from partition %s</h1>\n"
    "<p>Its TCP is lwIP's; its frames go through the I/O partition, which alone touches the card.</p>\n"
    "<pre id=counter>%s</pre>\n"
    "<p><a href=/crash>crash it</a>: the manager starts it again, and the other server does not notice.</p>\n"
    "<script>setInterval(async () => counter.textContent = await (await fetch('/counter')).text(), 500)</script>\n";

static int counter_text(char *text, size_t size) {
  int length = format(
      text, size, "ticks %llu\nlate %llu\nrequests %llu\nlife %u\nreports lost %llu\ncomputing %u\ncomputations %llu\n",
      (unsigned long long)ticks, (unsigned long long)late, (unsigned long long)requests, life(),
      (unsigned long long)reports_lost, computing, (unsigned long long)computations);
  const struct task *task;
  for (unsigned i = 0; (task = task_at(i)) && (size_t)length < size; i++)
    length += format(text + length, size - (size_t)length, "task %s: %llu turns, %llu preempted, the longest %llu us\n",
                     task->name, (unsigned long long)task->turns, (unsigned long long)task->preempted,
                     (unsigned long long)ticks_to_us(task->longest));
  return length;
}

static int make_page(const char *path, char *page, size_t size, const char **type) {
  char counter[512];
  requests++;
  if (strcmp(path, "/counter") == 0)
    return counter_text(page, size);
  if (strcmp(path, "/crash") == 0)
    *NOWHERE = 1;
  if (strcmp(path, "/compute") == 0) {
    compute_until = deadline_in_ns(COMPUTE_NS);
    return format(page, size, "partition %s computes\n", partition_name());
  }
  if (strcmp(path, "/end") == 0) {
    end_wanted = true;
    return format(page, size, "partition %s ends\n", partition_name());
  }
  if (strcmp(path, "/") != 0)
    return -1;
  counter_text(counter, sizeof counter);
  *type = "text/html";
  return format(page, size, front, partition_name(), partition_name(), counter);
}

/* --- tasks --- */

static void serve(void) {
  for (;;) {
    task_hold(); /* lwIP is called by one task, and as a whole */
    bool more = interface_turn();
    task_release();
    task_wait(more ? clock_now() : interface_deadline(), interface_event());
  }
}

static void count(void) {
  uint64_t due = clock_now(), tick = ns_to_ticks(TICK_NS);
  for (;;) {
    due += tick;
    task_wait(due, NO_EVENT);
    ticks++;
    late += clock_now() > due + tick;
  }
}

/* Never waits before it is ready. */
static void compute_something(void) {
  volatile uint64_t value = 1;
  computing = true;
  while (clock_now() < compute_until)
    value = value * 6364136223846793005u + 1442695040888963407u;
  computing = false;
  computations++;
}

static void compute(void) {
  for (;;) {
    if (clock_now() < compute_until)
      compute_something();
    task_wait(deadline_in_ns(LOOK_NS), NO_EVENT);
  }
}

static void report(const char *what) {
  char line[96];
  int length = format(line, sizeof line, "%s: life %u, %llu requests, %llu ticks%s", partition_name(), life(),
                      (unsigned long long)requests, (unsigned long long)ticks, what);
  reports_lost += peer_send(&logger, line, (size_t)length, 0) != STATUS_OK;
}

static void report_requests(void) {
  uint64_t told = 0;
  report(", begun");
  for (;;) {
    task_wait(deadline_in_ns(REPORT_NS), NO_EVENT);
    if (requests != told)
      report(end_wanted ? ", ended" : "");
    told = requests;
    if (end_wanted)
      exit(0);
  }
}

int main(void) {
  if (!peer_open(&logger, channel("log")) || !interface_open("plant", GATEWAY) || !http_open(PORT, make_page))
    return 1;
  task_add("network", serve);
  task_add("counter", count);
  task_add("reporter", report_requests);
  task_add("computer", compute);
  unsigned address = interface_address();
  printf("10.0.2.%u serves pages; life %u. On the host: curl http://127.0.0.1:%u/counter\n", address, life(),
         HOST_PORT + address);
  tasks_run();
}

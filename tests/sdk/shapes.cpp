// SPDX-License-Identifier: Apache-2.0
// A guest in C++: a constructor before main, virtual functions, a template, a static with a destructor, memory of its
// own, a disk.
#include <cstddef>
#include <new>
#include <parclose.hpp>

static char *free_memory;

void *operator new(std::size_t size) {
  if (!free_memory)
    free_memory = static_cast<char *>(heap_start());
  char *taken = free_memory;
  free_memory += (size + 15) & ~std::size_t{15};
  if (free_memory > heap_end())
    exit(9);
  return taken;
}

void operator delete(void *) noexcept {}

void operator delete(void *, std::size_t) noexcept {}

namespace {

class Shape {
public:
  virtual ~Shape() = default;
  virtual unsigned area() const = 0;
};

class Square : public Shape {
public:
  explicit Square(unsigned side) : side_(side) {}
  unsigned area() const override {
    return side_ * side_;
  }

private:
  unsigned side_;
};

class Made {
public:
  Made() : number_(life() + 41) {}
  ~Made() {
    print("shapes: a destructor ran\n");
  }
  unsigned number() const {
    return number_;
  }

private:
  unsigned number_;
};

Made made; // its constructor runs before main

template <typename Number, std::size_t count> Number sum(const Number (&numbers)[count]) {
  Number total{};
  for (const Number &number : numbers)
    total += number;
  return total;
}

int disk_keeps(unsigned value) {
  static struct block disk;
  alignas(512) static unsigned char written[512], read[512];
  const channel_descriptor *end = channel("disk");
  if (!end || end->class_ != CLASS_BLOCK || !block_open(&disk, end))
    return 2;
  written[511] = static_cast<unsigned char>(value);
  if (block_write(&disk, 512, written, sizeof written) != BLOCK_OK)
    return 3;
  if (block_read(&disk, 512, read, sizeof read) != BLOCK_OK)
    return 4;
  return memcmp(written, read, sizeof read) == 0 ? 0 : 5;
}

int tell(const char *text) {
  static struct peer peer;
  if (!peer_open(&peer, channel("talk")))
    return 6;
  return peer_send(&peer, text, strlen(text), deadline_in_ns(20000000000ull)) == STATUS_OK ? 0 : 7;
}

} // namespace

int main() {
  static Made local; // a static with a destructor, made when it is passed
  const double parts[] = {0.25, 0.5, 0.25};
  Shape *shape = new Square(7);
  printf("shapes: area %u, made %u and %u, sum %d\n", shape->area(), made.number(), local.number(),
         static_cast<int>(sum(parts)));
  delete shape;
  if (int wrong = disk_keeps(made.number()))
    return wrong;
  return tell("from C++");
}

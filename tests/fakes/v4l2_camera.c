/* A V4L2 camera that is not there: preloaded (LD_PRELOAD), it answers the calls a reader makes on one path.
 *
 * FAKE_CAMERA   the path that is the camera
 * FAKE_PICTURES a file of pictures, each a 32-bit length (little endian) and its bytes; shown again and again
 * FAKE_FORMAT   MJPG or YUYV; FAKE_WIDTH, FAKE_HEIGHT: what the driver gives, whatever it is asked for
 * FAKE_TROUBLE  KIND:N  from the N-th picture on:   eio, enodev, hang
 *                       at every N-th picture:      flagged, empty, garbage, short, blink (one EIO)
 * FAKE_CABLE    a file whose first byte is '0' while the cable is pulled; read without a call, from behind walls too
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { SLOTS = 4, QUEUE = 16, PAGE = 4096 };

static struct {
  const char *path;
  unsigned char *file;
  long bytes, at;          /* the whole file, and where the next picture begins */
  int descriptor;
  const volatile char *cable;
  uint32_t format, width, height;
  char trouble[16];
  unsigned every, shown;
  size_t room;
  unsigned char *slot[SLOTS];
  unsigned waiting[QUEUE], first, last;
} camera = {.descriptor = -1, .format = V4L2_PIX_FMT_MJPEG, .width = 320, .height = 240};

static long number(const char *name, long otherwise) {
  const char *text = getenv(name);
  return text ? atol(text) : otherwise;
}

__attribute__((constructor)) static void plug_in(void) {
  const char *pictures = getenv("FAKE_PICTURES"), *trouble = getenv("FAKE_TROUBLE"), *format = getenv("FAKE_FORMAT");
  camera.path = getenv("FAKE_CAMERA");
  FILE *in = camera.path && pictures ? fopen(pictures, "rb") : NULL;
  if (!in) {
    camera.path = NULL;
    return;
  }
  fseek(in, 0, SEEK_END);
  camera.bytes = ftell(in);
  rewind(in);
  camera.file = malloc(camera.bytes);
  if (fread(camera.file, 1, camera.bytes, in) != (size_t)camera.bytes) abort();
  fclose(in);
  for (long at = 0; at + 4 < camera.bytes;) {
    uint32_t length;
    memcpy(&length, camera.file + at, 4);
    if (length > camera.room) camera.room = length;
    at += 4 + length;
  }
  camera.room = (camera.room + 2 * PAGE) / PAGE * PAGE;
  for (int i = 0; i < SLOTS; i++) camera.slot[i] = malloc(camera.room);
  if (format && !strcmp(format, "YUYV")) camera.format = V4L2_PIX_FMT_YUYV;
  camera.width = number("FAKE_WIDTH", camera.width);
  camera.height = number("FAKE_HEIGHT", camera.height);
  const char *cable = getenv("FAKE_CABLE");
  int held = cable ? ((__typeof__(open) *)dlsym(RTLD_NEXT, "open"))(cable, O_RDONLY | O_CLOEXEC) : -1;
  if (held >= 0) {
    camera.cable = ((__typeof__(mmap) *)dlsym(RTLD_NEXT, "mmap"))(NULL, PAGE, PROT_READ, MAP_SHARED, held, 0);
    close(held);
  }
  if (trouble) sscanf(trouble, "%15[a-z]:%u", camera.trouble, &camera.every);
}

#define REAL(name) ((__typeof__(name) *)dlsym(RTLD_NEXT, #name))

static int opened(const char *path) {
  if (!camera.path || strcmp(path, camera.path)) return 0;
  camera.descriptor = REAL(open)("/dev/null", O_RDONLY | O_CLOEXEC);
  camera.first = camera.last = 0;
  return 1;
}

int open(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  int mode = va_arg(more, int);
  va_end(more);
  return opened(path) ? camera.descriptor : REAL(open)(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  int mode = va_arg(more, int);
  va_end(more);
  return opened(path) ? camera.descriptor : REAL(open64)(path, flags, mode);
}

void *mmap(void *where, size_t length, int protection, int flags, int descriptor, off_t offset) {
  if (descriptor >= 0 && descriptor == camera.descriptor) return camera.slot[offset / PAGE];
  return REAL(mmap)(where, length, protection, flags, descriptor, offset);
}

void *mmap64(void *where, size_t length, int protection, int flags, int descriptor, off64_t offset) {
  if (descriptor >= 0 && descriptor == camera.descriptor) return camera.slot[offset / PAGE];
  return REAL(mmap64)(where, length, protection, flags, descriptor, offset);
}

int munmap(void *where, size_t length) {
  for (int i = 0; i < SLOTS; i++)
    if (where && where == camera.slot[i]) return 0;
  return REAL(munmap)(where, length);
}

static int refuse(int why) {
  errno = why;
  return -1;
}

static int has(const char *trouble) { return !strcmp(camera.trouble, trouble); }

static int next_picture(struct v4l2_buffer *buffer) {
  unsigned shown = camera.shown++;
  int now = camera.every && shown && shown % camera.every == 0, since = camera.every && shown >= camera.every;
  struct timespec pause = {0, 4000000};
  nanosleep(&pause, NULL);
  if (camera.cable && *camera.cable == '0') return refuse(ENODEV);
  if (has("eio") && since) return refuse(EIO);
  if (has("enodev") && since) return refuse(ENODEV);
  if (has("blink") && now) return refuse(EIO);
  while (has("hang") && since) sleep(1);
  if (camera.first == camera.last) return refuse(EAGAIN);
  if (camera.at + 4 >= camera.bytes) camera.at = 0;
  uint32_t length;
  memcpy(&length, camera.file + camera.at, 4);
  unsigned index = camera.waiting[camera.first++ % QUEUE];
  memcpy(camera.slot[index], camera.file + camera.at + 4, length);
  camera.at += 4 + length;
  if (has("garbage") && now) memset(camera.slot[index], 0x55, length);
  buffer->index = index;
  buffer->sequence = shown;
  buffer->length = camera.room;
  buffer->flags = has("flagged") && now ? V4L2_BUF_FLAG_ERROR : 0;
  buffer->bytesused = now && (has("empty") || has("flagged")) ? 0 : now && has("short") ? length / 3 : length;
  struct timespec clock;
  clock_gettime(CLOCK_MONOTONIC, &clock);
  buffer->timestamp.tv_sec = clock.tv_sec;
  buffer->timestamp.tv_usec = clock.tv_nsec / 1000;
  return 0;
}

static int set_format(struct v4l2_format *format, int asked) {
  struct v4l2_pix_format *pix = &format->fmt.pix;
  (void)asked;
  pix->pixelformat = camera.format;
  pix->width = camera.width;
  pix->height = camera.height;
  pix->field = V4L2_FIELD_NONE;
  pix->bytesperline = camera.format == V4L2_PIX_FMT_YUYV ? camera.width * 2 : 0;
  pix->sizeimage = camera.format == V4L2_PIX_FMT_YUYV ? camera.width * camera.height * 2 : camera.room;
  return 0;
}

static int answer(unsigned request, void *given) {
  switch (request) {
  case VIDIOC_QUERYCAP: {
    struct v4l2_capability *what = given;
    memset(what, 0, sizeof *what);
    strcpy((char *)what->driver, "fake");
    what->capabilities = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
    return 0;
  }
  case VIDIOC_ENUMINPUT:
    return ((struct v4l2_input *)given)->index ? refuse(EINVAL) : 0;
  case VIDIOC_G_INPUT:
    *(int *)given = 0;
    return 0;
  case VIDIOC_S_INPUT:
  case VIDIOC_STREAMON:
  case VIDIOC_STREAMOFF:
    return 0;
  case VIDIOC_TRY_FMT:
  case VIDIOC_S_FMT:
    return set_format(given, 1);
  case VIDIOC_G_FMT:
    return set_format(given, 0);
  case VIDIOC_G_PARM:
  case VIDIOC_S_PARM: {
    struct v4l2_streamparm *rate = given;
    rate->parm.capture.capability = V4L2_CAP_TIMEPERFRAME;
    rate->parm.capture.timeperframe.numerator = 1;
    rate->parm.capture.timeperframe.denominator = 30;
    return 0;
  }
  case VIDIOC_REQBUFS:
    ((struct v4l2_requestbuffers *)given)->count = SLOTS;
    return 0;
  case VIDIOC_QUERYBUF: {
    struct v4l2_buffer *buffer = given;
    buffer->length = camera.room;
    buffer->m.offset = buffer->index * PAGE;
    return 0;
  }
  case VIDIOC_QBUF:
    camera.waiting[camera.last++ % QUEUE] = ((struct v4l2_buffer *)given)->index;
    return 0;
  case VIDIOC_DQBUF:
    return next_picture(given);
  default:
    return refuse(EINVAL);
  }
}

int ioctl(int descriptor, unsigned long request, ...) {
  va_list more;
  va_start(more, request);
  void *given = va_arg(more, void *);
  va_end(more);
  if (descriptor >= 0 && descriptor == camera.descriptor) return answer((unsigned)request, given);
  return REAL(ioctl)(descriptor, request, given);
}

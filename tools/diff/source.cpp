#include "tools/diff/source.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

namespace sluice::diff {

namespace fs = std::filesystem;

namespace {

// Whoever wrote the file may have made up any number of parts.
constexpr std::size_t most_parts = 4096;

std::uint64_t add(std::uint64_t a, std::uint64_t b) { return a > ~b ? ~std::uint64_t{0} : a + b; }

}  // namespace

Source::Source(std::string path, Reading reading) : path_(std::move(path)) {
  std::error_code code;
  auto file = std::make_unique<std::ifstream>();
  file->rdbuf()->pubsetbuf(nullptr, 0);  // the reader has a buffer of its own
  file->open(path_, std::ios::binary);
  if (!*file || fs::is_directory(path_, code)) {
    error_ = path_ + ": cannot be read";
    return;
  }
  in_ = std::move(file);
  open(reading);
}

Source::Source(std::string name, std::unique_ptr<std::istream> text, Reading reading)
    : path_(std::move(name)), in_(std::move(text)) {
  open(reading);
}

void Source::open(Reading reading) {
  reader_ = std::make_unique<trace::Reader>(*in_);
  if (!reader_->read_header()) {
    error_ = path_ + ": " + reader_->error();
    return;
  }
  header_ = reader_->header();
  if (reading == Reading::in_step) return;
  for (std::size_t i = 0; i < batch_count; ++i) {
    empty_.push_back(std::make_unique<Batch>());
    empty_.back()->entries.resize(batch_entries);
  }
  thread_ = std::thread([this] { read(); });
}

Source::~Source() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Source::count_part(const trace::PartLine& line) {
  const auto& [device, part, kind, what] = last_key_;
  if (last_part_ == nullptr || device != line.device || kind != line.kind || part != line.part || what != line.what) {
    last_key_ = {line.device, line.part, line.kind, line.what};
    if (parts_.size() >= most_parts && !parts_.contains(last_key_)) last_key_ = {0, "(others)", line.kind, ""};
    last_part_ = &parts_[last_key_];
    last_key_ = {line.device, line.part, line.kind, line.what};
  }
  ++last_part_->records;
  last_part_->time_ps = add(last_part_->time_ps, line.end - line.begin);
  last_part_->cycles = add(last_part_->cycles, line.cycles);
  last_part_->bytes = add(last_part_->bytes, line.bytes);
  last_part_->value = add(last_part_->value, line.value);
}

// Takes the full batch away and waits for an empty one. False: nobody wants more.
bool Source::give(std::unique_ptr<Batch>& batch) {
  std::unique_lock lock(mutex_);
  if (batch != nullptr) full_.push_back(std::move(batch));
  changed_.notify_all();
  changed_.wait(lock, [this] { return stop_ || !empty_.empty(); });
  if (stop_) return false;
  batch = std::move(empty_.back());
  empty_.pop_back();
  batch->used = 0;
  return true;
}

bool Source::read_one(Entry& entry, std::string& error) {
  while (true) {
    switch (reader_->next()) {
      case trace::Reader::Next::part:
        count_part(reader_->part());
        continue;
      case trace::Reader::Next::command:
        fill(entry, reader_->command());
        return true;
      case trace::Reader::Next::error:
        error = path_ + ": " + reader_->error();
        return false;
      case trace::Reader::Next::end:
        if (reader_->is_cut_off()) error = path_ + ": " + std::string(trace::cut_off_words);
        return false;
    }
  }
}

void Source::read() {
  std::unique_ptr<Batch> batch;
  std::string error;
  bool wanted = give(batch);
  while (wanted && read_one(batch->entries[batch->used], error)) {
    if (++batch->used == batch_entries) wanted = give(batch);
  }
  const std::lock_guard lock(mutex_);
  if (batch != nullptr && batch->used > 0) full_.push_back(std::move(batch));
  thread_error_ = std::move(error);
  done_ = true;
  changed_.notify_all();
}

const Entry* Source::from_file() {
  if (!thread_.joinable()) return read_one(entry_, error_) ? &entry_ : nullptr;
  if (batch_ == nullptr || at_ == batch_->used) {
    std::unique_lock lock(mutex_);
    if (batch_ != nullptr) empty_.push_back(std::move(batch_));
    changed_.notify_all();
    changed_.wait(lock, [this] { return done_ || !full_.empty(); });
    if (full_.empty()) {
      if (error_.empty()) error_ = thread_error_;
      return nullptr;
    }
    batch_ = std::move(full_.front());
    full_.pop_front();
    at_ = 0;
  }
  return &batch_->entries[at_++];
}

const Entry* Source::next() {
  const auto deliver = [this](const Entry* entry) {
    next_id_ = entry->id + 1;
    first_ps_ = commands_ == 0 ? entry->called : std::min(first_ps_, entry->called);
    last_ps_ = std::max(last_ps_, entry->visible());
    ++commands_;
    return entry;
  };
  while (error_.empty()) {
    // Once the file is over, what is missing will not come: a killed program's trace has gaps.
    if (!early_.empty() && (drained_ || early_.begin()->first == next_id_)) {
      entry_ = early_.begin()->second.unpack();
      early_.erase(early_.begin());
      return deliver(&entry_);
    }
    if (drained_) return nullptr;
    const Entry* entry = from_file();
    if (entry == nullptr) {
      drained_ = true;
      continue;
    }
    if (entry->id == next_id_) return deliver(entry);
    if (entry->id < next_id_ || !early_.emplace(entry->id, Packed(*entry)).second) {
      error_ = fmt::format("{}: two commands have the id {}", path_, entry->id);
    }
  }
  return nullptr;
}

}  // namespace sluice::diff

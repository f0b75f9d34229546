// The main of every test binary. libsystemc exports a `main` of its own, so -lgtest_main may lose to it and yield a
// binary that runs no test and returns 0; this one is linked as an object and fails when nothing ran.
#include <gtest/gtest.h>

#include <cstdio>

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const int result = RUN_ALL_TESTS();
  if (GTEST_FLAG_GET(list_tests)) return result;  // test discovery runs nothing by design
  if (testing::UnitTest::GetInstance()->test_to_run_count() == 0) {
    std::fputs("no test ran: check the filter and the link line\n", stderr);
    return 1;
  }
  return result;
}

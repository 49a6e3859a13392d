package io.mapstream.testkit.cli;

import java.util.concurrent.CountDownLatch;

/** A class that keeps running and serves nothing. */
final class SilentFunction {

  private SilentFunction() {}

  public static void main(String[] args) throws InterruptedException {
    new CountDownLatch(1).await();
  }
}

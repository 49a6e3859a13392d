package io.mapstream.server;

import org.slf4j.helpers.BasicMDCAdapter;
import org.slf4j.simple.SimpleServiceProvider;
import org.slf4j.spi.MDCAdapter;

/** SLF4J for a child process ({@code -Dslf4j.provider}): an MDC whose changes are printed. */
public final class MdcProvider extends SimpleServiceProvider {

  private final MDCAdapter mdc =
      new BasicMDCAdapter() {
        @Override
        public void put(String key, String value) {
          super.put(key, value);
          print("put " + key + "=" + value);
        }

        @Override
        public void remove(String key) {
          print("remove " + key + "=" + get(key));
          super.remove(key);
        }
      };

  private static void print(String change) {
    System.out.println(Thread.currentThread().getName() + ": " + change);
  }

  @Override
  public MDCAdapter getMDCAdapter() {
    return mdc;
  }
}
